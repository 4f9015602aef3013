#include "vitrine/views/page_cache.h"

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {

base::Result<PageCache> PageCache::attach(const kernel::Kernel& kernel,
                                          memory::PhysicalMemory& memory) {
  if (kernel.space.direct.size == 0)
    return base::fail(base::Code::unsupported,
                      "the guest's map of all its memory is not known, by which pages are found");
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  const auto array = kernel::find_page_array(kernel, walked);
  if (!array) return base::fail(array.error());
  const auto up_to_date = kernel.types.enum_value("", "PG_uptodate");
  if (!up_to_date) return base::fail(up_to_date.error());
  PageCache cache(*array, kernel.space.direct);
  Resolver at(kernel.types);
  cache.pages_ = XArray::attach(at);
  cache.in_mapping_ = at("address_space", "i_pages");
  // A folio's members lie over those of its first page, whose `index` is called otherwise since
  // 6.16.
  cache.flags_ = at("page", "flags");
  cache.mapping_ = at("page", "mapping");
  cache.index_ = at("page", {"index", "__folio_index"});
  if (at.error()) return base::fail(*at.error());
  cache.up_to_date_ = std::uint64_t{1} << (*up_to_date & 63);
  return cache;
}

bool PageCache::locate(std::uint64_t frame, std::uint64_t count, base::GuestVirtual& at) const {
  const std::uint64_t most = (direct_.physical.value + direct_.size) / kPage;
  if (frame >= most || count > most - frame || frame * kPage < direct_.physical.value) return false;
  at = direct_.start + (frame * kPage - direct_.physical.value);
  return true;
}

// False where it can't be read.
bool PageCache::read_folio(Reader& reader, base::GuestVirtual mapping, const XArrayEntry& entry,
                           CachedPages& pages) const {
  const base::GuestVirtual page(entry.value);
  base::GuestVirtual owner;
  std::uint64_t index = 0;
  std::uint64_t flags = 0;
  pages.state = PageState::damaged;
  const auto frame = array_.frame_of(page);
  if (!frame || !locate(*frame, entry.count, pages.at)) return true;
  if (!reader.load(page + flags_, flags) || !reader.load(page + mapping_, owner.value) ||
      !reader.load(page + index_, index))
    return false;
  if (owner != mapping || index != entry.first) return true;
  pages.state = (flags & up_to_date_) != 0 ? PageState::cached : PageState::absent;
  return true;
}

}  // namespace vitrine::views
