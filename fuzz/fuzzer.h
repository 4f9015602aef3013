// One fuzzer a file: VITRINE_FUZZER(json) { … } in fuzz_json.cc is given `data`, of `size` bytes,
// and returns 0. All of them are one program, which is whichever its name says (fuzzers.cc).
//
// Thread contract: fuzzers register before main(), from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vitrine::fuzz {

using Fuzzer = int (*)(const std::uint8_t* data, std::size_t size);

struct Registered {
  Registered(std::string_view name, Fuzzer fuzzer);
};

}  // namespace vitrine::fuzz

#define VITRINE_FUZZER(name)                                                    \
  static int fuzz_##name(const std::uint8_t* data, std::size_t size);           \
  static const vitrine::fuzz::Registered registered_##name(#name, fuzz_##name); \
  static int fuzz_##name(const std::uint8_t* data, std::size_t size)
