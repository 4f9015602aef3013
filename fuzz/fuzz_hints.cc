// Hints from the cache, as damage or a forger of the user's own may leave them. What is accepted is
// a layout that holds together, and is the same when it is kept again.
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/session/hints.h"

namespace {

using vitrine::fuzz::require;

template <class Pieces, class RangeOf>
void check_ascending(const Pieces& pieces, RangeOf range_of) {
  std::uint64_t end = 0;
  for (const auto& piece : pieces) {
    const vitrine::memory::Range range = range_of(piece);
    require(range.size != 0 && range.start.value >= end && range.end() > range.start);
    end = range.end().value;
  }
}

}  // namespace

VITRINE_FUZZER(hints) {
  using namespace vitrine;
  const auto hints = session::parse_hints(fuzz::text_of(data, size));
  if (!hints) return 0;
  check_ascending(hints->layout.regions, [](const vmm::RamRegion& region) {
    require(region.host + region.size > region.host);
    require(region.backing <= vmm::Backing::hugetlb);
    return memory::Range{region.start, region.size};
  });
  check_ascending(hints->pieces, [](const memory::Range& piece) { return piece; });
  const auto again = session::parse_hints(session::hints_text(*hints));
  require(again && again->note == hints->note && again->mappings == hints->mappings);
  require(again->layout.regions == hints->layout.regions && again->pieces == hints->pieces);
  require(again->layout.source == hints->layout.source);
  return 0;
}
