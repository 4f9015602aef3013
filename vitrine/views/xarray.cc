#include "vitrine/views/xarray.h"

namespace vitrine::views {

XArray XArray::attach(Resolver& at) {
  XArray array;
  array.head_ = at("xarray", "xa_head");
  array.shift_ = at("xa_node", "shift");
  const kernel::Member slots = at.member("xa_node", "slots");
  array.slots_ = static_cast<std::uint32_t>(slots.offset);
  // XA_CHUNK_SIZE: 64, or 16 where the kernel is built for small machines.
  array.slot_count_ = slots.size / 8 == 16 ? 16 : kMaxSlots;
  array.node_bytes_ = array.slots_ + static_cast<std::uint32_t>(array.slot_count_ * 8);
  return array;
}

}  // namespace vitrine::views
