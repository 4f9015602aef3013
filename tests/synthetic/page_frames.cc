#include "tests/synthetic/page_frames.h"

#include <algorithm>
#include <cstring>

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t kMapping = 0xffff888001234500;  // an address_space: any aligned address

}  // namespace

PageFrames::PageFrames(Kernel& kernel) : kernel_(kernel) {
  const std::vector<std::byte> used = entry_in_use();
  for (const Range& range : kernel_.memory().ram()) {
    const std::uint64_t first = range.start.value / page_size;
    const GuestVirtual begin = entry(first);
    const GuestVirtual end = entry(first + range.size / page_size);
    for (std::uint64_t page = begin.value / page_size * page_size; page < end.value;
         page += page_size)
      if (kernel_.tables().entry(GuestVirtual(page), 1) == 0)
        kernel_.tables().map(GuestVirtual(page), kernel_.frames().take());
    // All of a range at once: member by member would take longer than the tests.
    std::vector<std::byte> entries;
    for (std::uint64_t frame = 0; frame < range.size / page_size; ++frame)
      entries.insert(entries.end(), used.begin(), used.end());
    for (std::uint64_t done = 0; done < entries.size();) {
      const GuestVirtual at = begin + done;
      const std::uint64_t size = std::min(entries.size() - done, page_size - at.value % page_size);
      kernel_.memory().write(physical(at), std::span(entries).subspan(done, size));
      done += size;
    }
  }
}

std::vector<std::byte> PageFrames::entry_in_use() const {
  const Types& types = kernel_.types();
  std::vector<std::byte> bytes(types.size("struct page"));
  const auto put = [&](const char* member, std::int32_t value) {
    std::memcpy(&bytes.at(types.offset("page", member)), &value, sizeof(value));
  };
  put(type_member(), -1);
  put("_refcount", 1);
  return bytes;
}

GuestPhysical PageFrames::physical(GuestVirtual at) const {
  const GuestPhysical page(kernel_.tables().entry(at, 1) & entry_address_mask);
  return page + at.value % page_size;
}

GuestVirtual PageFrames::entry(std::uint64_t frame) const {
  return GuestVirtual(kernel_.vmemmap_base() + frame * kernel_.types().size("struct page"));
}

void PageFrames::set(std::uint64_t frame, std::string_view member, std::uint64_t value) {
  const Place place = kernel_.types().place("page", member);
  kernel_.memory().write(
      physical(entry(frame) + place.offset),
      std::as_bytes(std::span(&value, 1)).first(kernel_.types().size(place.type)));
}

const char* PageFrames::type_member() const {
  return kernel_.options().pages != PageTypes::map_count ? "page_type" : "_mapcount";
}

void PageFrames::set_type(std::uint64_t frame, std::int32_t type) {
  set(frame, type_member(), static_cast<std::uint32_t>(type));
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
  set(frame, "mapping", kMapping);
  set(frame, "_refcount", pages);
  if (pages == 1) return;
  set_flags(frame, {"PG_lru", "PG_uptodate", "PG_head"});
  // The number stands in the second page, over what that calls `index` or `kMapping`.
  const Types& types = kernel_.types();
  const std::uint32_t at = types.offset(
      "folio", kernel_.options().pages == PageTypes::byte ? "_nr_pages" : "_folio_nr_pages");
  kernel_.memory().put(physical(entry(frame) + at), pages);
}

void PageFrames::unmap(std::uint64_t frame) { kernel_.tables().set_entry(entry(frame), 1, 0); }

}  // namespace vitrine::synthetic
