#include "vitrine/images/content_changes.h"

#include <algorithm>
#include <cstring>

#include "vitrine/images/omission.h"

namespace vitrine::images {
namespace {

using base::GuestPhysical;
using memory::ReadStatus;

// Reads the range, what is not populated as zeros; false where a page can't be read.
bool read_all(memory::PhysicalMemory& memory, memory::Range range, std::span<std::byte> into) {
  std::ranges::fill(into, std::byte{});
  for (const memory::Range& part : memory.populated(range)) {
    const std::span bytes = into.subspan(part.start - range.start, part.size);
    if (memory.read(part.start, bytes) == ReadStatus::ok) continue;
    for (std::uint64_t offset = 0; offset < part.size; offset += kPageBytes) {
      const std::span page = bytes.subspan(offset, kPageBytes);
      const ReadStatus status = memory.read(part.start + offset, page);
      if (status == ReadStatus::not_populated)
        std::ranges::fill(page, std::byte{});
      else if (status != ReadStatus::ok)
        return false;
    }
  }
  return true;
}

}  // namespace

base::Result<void> ContentChanges::compare(memory::Range range, std::span<std::uint8_t> same) {
  std::ranges::fill(same, std::uint8_t{0});
  const auto known = earlier_.ram();
  if (std::ranges::none_of(known, [&range](const memory::Range& ram) {
        return ram.contains(range.start, range.size);
      }))
    return {};
  before_.resize(range.size);
  after_.resize(range.size);
  if (!read_all(now_, range, after_)) return {};
  if (!read_all(earlier_, range, before_))
    return base::fail(base::Code::unreadable, "the earlier image can't be read");
  for (std::size_t i = 0; i < same.size(); ++i)
    same[i] =
        std::memcmp(&before_[i * kPageBytes], &after_[i * kPageBytes], kPageBytes) == 0 ? 1 : 0;
  return {};
}

}  // namespace vitrine::images
