#include "tests/synthetic/page_frames.h"

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t mapping = 0xffff888001234500;  // an address_space: any aligned address

}  // namespace

PageFrames::PageFrames(Kernel& kernel) : kernel_(kernel) {
  const std::uint64_t entry_size = kernel_.types().size("struct page");
  for (const Range& range : kernel_.memory().ram()) {
    const GuestVirtual begin(kernel_.vmemmap_base() + range.start.value / page_size * entry_size);
    const std::uint64_t end = kernel_.vmemmap_base() + range.end().value / page_size * entry_size;
    for (std::uint64_t at = begin.value / page_size * page_size; at < end; at += page_size)
      if (kernel_.tables().entry(GuestVirtual(at), 1) == 0)
        kernel_.tables().map(GuestVirtual(at), kernel_.frames().take());
    for (std::uint64_t frame = range.start.value / page_size; frame < range.end().value / page_size;
         ++frame) {
      set_type(frame, -1);
      set(frame, "_refcount", 1);
    }
  }
}

GuestVirtual PageFrames::entry(std::uint64_t frame) const {
  return GuestVirtual(kernel_.vmemmap_base() + frame * kernel_.types().size("struct page"));
}

void PageFrames::set(std::uint64_t frame, std::string_view member, std::uint64_t value) {
  const GuestVirtual at = entry(frame);
  const GuestPhysical page(kernel_.tables().entry(at, 1) & entry_address_mask);
  const Place place = kernel_.types().place("page", member);
  const std::uint32_t size = kernel_.types().size(place.type);
  kernel_.memory().write(page + (at.value % page_size + place.offset),
                         std::as_bytes(std::span(&value, 1)).first(size));
}

void PageFrames::set_type(std::uint64_t frame, std::int32_t type) {
  const bool typed = kernel_.options().pages != PageTypes::map_count;
  set(frame, typed ? "page_type" : "_mapcount", static_cast<std::uint32_t>(type));
}

void PageFrames::set_flags(std::uint64_t frame, std::initializer_list<std::string> names) {
  std::uint64_t flags = 0;
  for (const auto& [name, bit] : page_flags(kernel_.options().pages))
    for (const std::string& wanted : names)
      if (name == wanted) flags |= std::uint64_t{1} << bit;
  set(frame, "flags", flags);
}

void PageFrames::set_free(std::uint64_t frame, unsigned order) {
  set_type(frame, buddy_type(kernel_.options().pages));
  set(frame, "private", order);
  set(frame, "_refcount", 0);
}

void PageFrames::set_cached(std::uint64_t frame, std::uint32_t pages) {
  set_flags(frame, {"PG_lru", "PG_uptodate"});
  set(frame, "mapping", mapping);
  set(frame, "_refcount", pages);
  if (pages == 1) return;
  set_flags(frame, {"PG_lru", "PG_uptodate", "PG_head"});
  // The number stands in the second page, over what that calls `index` or `mapping`.
  const Types& types = kernel_.types();
  const std::uint32_t at = types.offset(
      "folio", kernel_.options().pages == PageTypes::byte ? "_nr_pages" : "_folio_nr_pages");
  const GuestVirtual field = entry(frame) + at;
  const GuestPhysical page(kernel_.tables().entry(field, 1) & entry_address_mask);
  kernel_.memory().put(page + field.value % page_size, pages);
}

void PageFrames::unmap(std::uint64_t frame) { kernel_.tables().set_entry(entry(frame), 1, 0); }

}  // namespace vitrine::synthetic
