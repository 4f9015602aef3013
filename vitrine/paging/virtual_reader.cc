#include "vitrine/paging/virtual_reader.h"

#include <algorithm>

#include "vitrine/paging/walk.h"

namespace vitrine::paging {

bool VirtualReader::load_bytes(base::GuestPhysical root, base::GuestVirtual at,
                               std::span<std::byte> to) {
  while (!to.empty()) {
    const std::size_t part = std::min<std::size_t>(to.size(), kPage - at.value % kPage);
    base::GuestPhysical physical;
    if (!(root == space_.root ? translate(at, physical) : walk_from(root, at, physical)))
      return false;
    if (!physical_.load_bytes(physical, to.first(part)))
      return failed(fault_of(physical_.status()), at);
    at = at + part;
    to = to.subspan(part);
  }
  return true;
}

void VirtualReader::forget(base::GuestVirtual at, std::uint64_t size) {
  while (size > 0) {
    const std::uint64_t part = std::min(size, kPage - at.value % kPage);
    base::GuestPhysical physical;
    if (translate(at, physical)) physical_.forget({physical, part});
    at = at + part;
    size -= part;
  }
}

bool VirtualReader::walk_from(base::GuestPhysical root, base::GuestVirtual at,
                              base::GuestPhysical& to) {
  if (root == space_.root && !space_.format->kernel_maps(at)) return failed(Fault::not_mapped, at);
  Translation found;
  const Fault fault = walk(*space_.format, root, at, physical_, found);
  if (fault != Fault::none) return failed(fault, at);
  to = found.address;
  return true;
}

bool VirtualReader::walk_kept(base::GuestVirtual at, base::GuestPhysical& to) {
  const std::uint64_t page = at.value / kPage;
  Kept& kept = translations_[page % translations_.size()];
  if (kept.page != page) {
    if (!walk_from(space_.root, at, to)) return false;
    kept = {page, to.value / kPage};
  }
  to = base::GuestPhysical(kept.physical_page * kPage + at.value % kPage);
  return true;
}

}  // namespace vitrine::paging
