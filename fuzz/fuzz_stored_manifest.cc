// The manifest of an image, as a damaged or forged one may be.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "apps/cli/stored_manifest.h"
#include "fuzz/fuzzer.h"

VITRINE_FUZZER(stored_manifest) {
  const auto manifest =
      vitrine::cli::parse_manifest(std::string_view(reinterpret_cast<const char*>(data), size));
  if (manifest && manifest->sha256.size() != 64) std::abort();
  return 0;
}
