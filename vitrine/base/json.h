// JSON as QEMU's monitor, the guest agent and our own files speak it. For .cc files and tests: it
// brings nlohmann-json with it, of which most is compiled once, in json.cc.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

extern template class nlohmann::basic_json<>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace vitrine::base {

using Json = nlohmann::json;

// is_discarded() where the text is not JSON; never throws.
Json parse_json(std::string_view text);

// On one line; what is not UTF-8 is replaced, so that it never throws.
std::string json_text(const Json& value);

// A member of an object, empty where it is none or no text.
std::string text_member(const Json& object, const char* key);

// Throws where it is another kind of number: get() would make some whole number of it.
std::uint64_t whole_number(const Json& value);

}  // namespace vitrine::base
