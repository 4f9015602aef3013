#include "tests/synthetic/page_cache.h"

namespace vitrine::synthetic {
namespace {

constexpr unsigned chunk = 6;  // bits of an index that a node covers

}  // namespace

GuestVirtual PageCache::head(GuestVirtual inode) const {
  return kernel_.member(inode, "inode", "i_data.i_pages.xa_head");
}

GuestVirtual PageCache::node(unsigned shift) {
  const GuestVirtual at = kernel_.allocate(kernel_.types().size("struct xa_node"));
  kernel_.set(at, "xa_node", "shift", shift);
  return at;
}

// There is a node above each entry, though the kernel does without for a single one at 0.
GuestVirtual PageCache::slot(GuestVirtual inode, std::uint64_t index, unsigned shift) {
  const GuestVirtual top = head(inode);
  auto value = kernel_.get<std::uint64_t>(top);
  if (value == 0) kernel_.put(top, value = node(shift).value | 2);
  auto node_shift = kernel_.value(GuestVirtual(value - 2), "xa_node", "shift");
  while (index >> node_shift >= 64 || node_shift < shift) {
    const GuestVirtual above = node(static_cast<unsigned>(node_shift += chunk));
    kernel_.put(kernel_.member(above, "xa_node", "slots"), value);
    kernel_.put(top, value = above.value | 2);
  }
  while (true) {
    const GuestVirtual slots = kernel_.member(GuestVirtual(value - 2), "xa_node", "slots");
    const GuestVirtual at = slots + (index >> node_shift & 63) * 8;
    if (node_shift == shift) return at;
    node_shift -= chunk;
    value = kernel_.get<std::uint64_t>(at);
    if (value == 0) kernel_.put(at, value = node(static_cast<unsigned>(node_shift)).value | 2);
  }
}

GuestVirtual PageCache::node_of(GuestVirtual inode, std::uint64_t index, std::uint64_t& number) {
  number = index & 63;
  return slot(inode, index & ~std::uint64_t{63}, 0) - kernel_.types().offset("xa_node", "slots");
}

// A large entry takes 2^(order % 6) slots: all but the first say that they are siblings of it.
void PageCache::store(GuestVirtual inode, std::uint64_t index, std::uint64_t value,
                      unsigned order) {
  const unsigned shift = order / chunk * chunk;
  const GuestVirtual first = slot(inode, index, shift);
  kernel_.put(first, value);
  const std::uint64_t number = index >> shift & 63;
  for (std::uint64_t sibling = 1; sibling < std::uint64_t{1} << order % chunk; ++sibling)
    kernel_.put(first + sibling * 8, number << 2 | 2);
}

GuestVirtual PageCache::add(GuestVirtual inode, std::uint64_t index, std::string_view bytes,
                            unsigned order) {
  const GuestPhysical at = kernel_.frames().take(page_size << order);
  kernel_.memory().write(at, bytes);
  const std::uint64_t frame = at.value / page_size;
  frames_.set_flags(frame, {"PG_uptodate"});
  frames_.set(frame, "mapping", kernel_.member(inode, "inode", "i_data").value);
  frames_.set(frame, "index", index);
  const GuestVirtual page(kernel_.vmemmap_base() + frame * kernel_.types().size("struct page"));
  store(inode, index, page.value, order);
  return page;
}

}  // namespace vitrine::synthetic
