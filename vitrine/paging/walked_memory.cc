#include "vitrine/paging/walked_memory.h"

#include <algorithm>

namespace vitrine::paging {

base::Error error_of(Fault fault, base::GuestVirtual address) {
  const bool absent = fault == Fault::not_mapped || fault == Fault::swapped_out ||
                      fault == Fault::not_populated || fault == Fault::not_canonical;
  return {absent ? base::Code::absent : base::Code::unreadable,
          std::string(name(fault)),
          {},
          address.value};
}

base::Result<Translation> WalkedMemory::translate(base::GuestVirtual address) {
  if (!format_.kernel_maps(address)) return base::fail(error_of(Fault::not_mapped, address));
  Translation found;
  const Fault fault = walk(format_, root_, address, tables_, found);
  if (fault != Fault::none) return base::fail(error_of(fault, address));
  return found;
}

base::Result<void> WalkedMemory::read(base::GuestVirtual address, std::span<std::byte> into) {
  while (!into.empty()) {
    auto found = translate(address);
    if (!found) return base::fail(found.error());
    const std::uint64_t left = found->page_size - (address.value & (found->page_size - 1));
    const std::size_t part = std::min<std::size_t>(into.size(), left);
    const memory::ReadStatus status = memory_.read(found->address, into.first(part));
    if (status != memory::ReadStatus::ok) return base::fail(error_of(fault_of(status), address));
    address = address + part;
    into = into.subspan(part);
  }
  return {};
}

}  // namespace vitrine::paging
