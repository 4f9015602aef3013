// QEMU's `info mtree`, as a VMM may forge it. The RAM that is found is ascending and disjoint, and
// no range reaches beyond the end of the address space.
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/vmm/memory_tree.h"

namespace {

using vitrine::fuzz::require;
using vitrine::memory::Range;

// The end must be no smaller than the start: 2^64 itself is out of bounds for it.
void check_ascending(const Range& range, std::uint64_t& end) {
  require(range.size != 0 && range.end() > range.start);
  require(range.start.value >= end);
  end = range.end().value;
}

}  // namespace

VITRINE_FUZZER(memory_tree) {
  const auto text = vitrine::fuzz::text_of(data, size);
  if (const auto flat = vitrine::vmm::parse_flat_view(text)) {
    require(!flat->empty());
    std::uint64_t end = 0;
    for (const auto& piece : *flat) {
      check_ascending(piece.range, end);
      require(piece.offset + piece.range.size >= piece.offset);
    }
  }
  if (const auto ram = vitrine::vmm::parse_system_ram(text)) {
    require(!ram->ranges.empty() && !ram->blocks.empty());
    std::uint64_t end = 0;
    for (const Range& range : ram->ranges) check_ascending(range, end);
  }
  return 0;
}
