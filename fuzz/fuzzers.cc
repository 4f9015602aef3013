// The program of all fuzzers: linked (ln -s) as fuzz_NAME, it is that one. Each would otherwise be
// a program of its own that holds the whole sanitized library.
#include <cstdio>
#include <cstdlib>
#include <map>

#include "fuzz/fuzzer.h"

namespace vitrine::fuzz {
namespace {

std::map<std::string_view, Fuzzer>& fuzzers() {
  static std::map<std::string_view, Fuzzer> all;
  return all;
}

Fuzzer chosen = nullptr;

}  // namespace

Registered::Registered(std::string_view name, Fuzzer fuzzer) { fuzzers().emplace(name, fuzzer); }

}  // namespace vitrine::fuzz

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** arguments) {
  using namespace vitrine::fuzz;
  std::string_view name = (*arguments)[0];
  name.remove_prefix(name.rfind('/') + 1);  // to the beginning where there is none
  const std::string_view prefix = "fuzz_";
  const auto found = fuzzers().find(name.starts_with(prefix) ? name.substr(prefix.size()) : "");
  if (found == fuzzers().end()) {
    std::fprintf(stderr, "run me as fuzz_NAME, where NAME is one of:\n");
    for (const auto& [known, fuzzer] : fuzzers()) std::fprintf(stderr, "  %s\n", known.data());
    std::exit(2);
  }
  chosen = found->second;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return vitrine::fuzz::chosen(data, size);
}
