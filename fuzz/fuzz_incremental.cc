// What an incremental image says of itself, as a damaged or forged one may say it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "fuzz/fuzzer.h"
#include "vitrine/images/incremental.h"

VITRINE_FUZZER(incremental) {
  using namespace vitrine::images;
  const auto content = std::as_bytes(std::span(data, size));
  const auto incremental = parse_incremental_note(content);
  if (!incremental) return 0;
  for (std::uint64_t page = 0; page < incremental->held.pages(); ++page)
    (void)incremental->held.test(page);
  // What was accepted is what would be written.
  if (!std::ranges::equal(incremental_note(*incremental), content)) std::abort();
  return 0;
}
