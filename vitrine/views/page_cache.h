// The guest's page cache: which pages of a file are in the guest's memory, and where.
//
// A page is believed only if its own struct page (the first of its folio) says that it belongs to
// that file, at that place, and holds what the file holds (PG_uptodate): the cache is read without
// its lock, and a page may have been given to another file meanwhile. In the kernel, that is what
// filemap_get_folio() does.
//
// Thread contract: immutable once attached. Cost: that of the tree of pages, and 3 loads a folio.
#pragma once

#include "vitrine/kernel/page_array.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/xarray.h"

namespace vitrine::views {

enum class PageState : std::uint8_t {
  cached,
  absent,   // not read yet, or nothing was ever written there
  number,   // evicted; of a file that has no other place, to the guest's swap
  damaged,  // what the cache has there is no page of the file, or is just being changed
};

// Pages that follow each other, in the file and in memory.
struct CachedPages {
  std::uint64_t first = 0;  // number of the page in the file
  std::uint64_t count = 0;
  PageState state = PageState::cached;
  base::GuestVirtual at;  // of the bytes, in the direct map, where they are cached
};

class PageCache {
 public:
  static constexpr std::uint64_t kPage = 4096;

  // Errors: the member that is missing; `unsupported` where there is no direct map to read by.
  static base::Result<PageCache> attach(const kernel::Kernel& kernel,
                                        memory::PhysicalMemory& memory);

  // Calls `visit(CachedPages)` for what the cache has of a file, with ascending page numbers;
  // `mapping` is its struct address_space. What it says nothing of is not in memory.
  template <class Visit>
  WalkEnd walk(Reader& reader, base::GuestVirtual mapping, Budget& nodes, Visit&& visit) const;

 private:
  PageCache(kernel::PageArray array, paging::LinearMap direct) : array_(array), direct_(direct) {}

  bool read_folio(Reader& reader, base::GuestVirtual mapping, const XArrayEntry& entry,
                  CachedPages& pages) const;
  // Where the bytes of frames are in the direct map; false where they are not in it.
  bool locate(std::uint64_t frame, std::uint64_t count, base::GuestVirtual& at) const;

  kernel::PageArray array_;
  paging::LinearMap direct_;
  XArray pages_;
  std::uint32_t in_mapping_ = 0;                       // of address_space
  std::uint32_t flags_ = 0, mapping_ = 0, index_ = 0;  // of struct page
  std::uint64_t up_to_date_ = 0;                       // a bit of its flags
};

template <class Visit>
WalkEnd PageCache::walk(Reader& reader, base::GuestVirtual mapping, Budget& nodes,
                        Visit&& visit) const {
  WalkEnd end = WalkEnd::whole;
  const WalkEnd walked =
      pages_.walk(reader, mapping + in_mapping_, nodes, [&](const XArrayEntry& entry) {
        CachedPages pages{entry.first, entry.count, PageState::number, {}};
        if (!entry.is_number() && !read_folio(reader, mapping, entry, pages))
          end = both(end, WalkEnd::unreadable);
        visit(pages);
      });
  return both(walked, end);
}

}  // namespace vitrine::views
