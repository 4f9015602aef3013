#include "vitrine/paging/address_space.h"

#include <algorithm>

#include "vitrine/memory/gather_reader.h"

namespace vitrine::paging {
namespace {

using base::kPage;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
constexpr int kMaxLeaves = 20000;

// Whether the page at `at` is mapped to `expected`, or not at all (Linux takes pages out of the
// direct map for secrets and for debugging); `step` becomes the bytes this answer covers.
bool agrees(const AddressSpace& space, base::GuestVirtual at, base::GuestPhysical expected,
            memory::GatherReader& reader, std::uint64_t& step, bool& present) {
  Translation found;
  const Fault fault = walk(*space.format, space.root, at, reader, found);
  present = fault == Fault::none;
  step = kPage;
  if (fault == Fault::not_mapped) return true;
  if (fault != Fault::none) return false;
  step = found.page_size - (at.value & (found.page_size - 1));
  return found.address == expected;
}

}  // namespace

bool verify(const AddressSpace& space, const LinearMap& claim, std::span<const memory::Range> ram,
            memory::PhysicalMemory& memory) {
  memory::GatherReader reader(memory);
  reader.begin();
  int leaves = 0;
  bool any = false;
  for (const memory::Range& range : ram) {
    const std::uint64_t begin = std::max(range.start.value, claim.physical.value);
    const std::uint64_t end = std::min(range.end().value, claim.physical.value + claim.size);
    for (std::uint64_t at = begin; at < end;) {
      const base::GuestPhysical expected(at);
      std::uint64_t step = kPage;
      bool present = false;
      if (!agrees(space, claim.start + (expected - claim.physical), expected, reader, step,
                  present))
        return false;
      any = any || present;
      // A page that is absent among small ones: go on page by page only while few are.
      if (++leaves > kMaxLeaves) {
        const std::uint64_t next = (at / kGiB + 1) * kGiB;
        step = at + kPage >= next ? kPage : std::min(next, end) - kPage - at;
        step = std::max(step, kPage);
      }
      at += step;
    }
  }
  return any;
}

}  // namespace vitrine::paging
