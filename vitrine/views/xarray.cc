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

WalkEnd XArray::open_node(Reader& reader, const Pending& node,
                          std::vector<Pending>& waiting) const {
  const base::GuestVirtual at(node.entry.value - 2);
  const auto chunk = static_cast<unsigned>(std::countr_zero(slot_count_));
  Reader::Object object(reader, at, node_bytes_);
  std::uint8_t shift = 0;
  if (!object.load(shift_, shift)) return WalkEnd::unreadable;
  const bool top = node.shift == 64;
  if (top ? shift >= 64 || shift % chunk != 0 : shift + chunk != node.shift) return WalkEnd::astray;
  WalkEnd end = WalkEnd::whole;
  std::uint64_t siblings = 0;
  std::uint64_t sibling = 0;
  for (std::uint64_t slot = slot_count_; slot-- > 0;) {
    std::uint64_t value = 0;
    if (!object.load(slots_ + slot * 8, value)) {
      end = both(end, WalkEnd::unreadable);
      continue;
    }
    if (value == 0) {
      siblings = 0;
      continue;
    }
    if (is_internal(value) && !is_node(value) && value >> 2 < slot) {
      siblings = value == sibling ? siblings + 1 : 1;
      sibling = value;
      continue;
    }
    // The siblings that were seen are this entry's, if they say so and are its neighbours.
    const std::uint64_t more = is_sibling_of(sibling, slot) ? siblings : 0;
    siblings = 0;
    sibling = 0;
    const std::uint64_t first = slot << shift;
    if (first >> shift != slot) return WalkEnd::astray;
    waiting.push_back({{node.entry.first + first, (1 + more) << shift, value}, shift});
  }
  return end;
}

}  // namespace vitrine::views
