// Text as a string of JSON, for who writes documents too large to be built first. Without
// nlohmann-json.
//
// Thread contract: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace vitrine::base {

// With its quotation marks, in ASCII. Each byte that is no printable ASCII character becomes the
// escape of its number (\u00NN), so that texts that differ stay different, valid UTF-8 or not.
std::string json_string(std::string_view text);

}  // namespace vitrine::base
