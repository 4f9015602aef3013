#include "vitrine/images/frame_use.h"

#include <algorithm>
#include <cstring>

#include "vitrine/images/omission.h"
#include "vitrine/kernel/page_array.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;

// Low bits of page->mapping that say it is no address_space: anonymous, or a driver's movable page
// (include/linux/page-flags.h).
constexpr std::uint64_t kMappingFlags = 3;
// struct page is 64 bytes; more than this is none.
constexpr std::uint64_t kMaxEntry = 1024;

base::Error untold(std::string what) {
  return {Code::unsupported, "the guest's kernel does not tell " + std::move(what),
          "take the snapshot without --skip free and cache"};
}

}  // namespace

base::Result<FrameUses> FrameUses::create(const kernel::Kernel& kernel,
                                          memory::PhysicalMemory& memory) {
  FrameUses uses(kernel, memory);
  for (auto step : {&FrameUses::find_fields, &FrameUses::find_flags, &FrameUses::find_array,
                    &FrameUses::check_against})
    if (auto done = (uses.*step)(kernel); !done) return fail(done.error());
  return uses;
}

base::Result<void> FrameUses::find_fields(const kernel::Kernel& kernel) {
  const kernel::TypeLookup& types = kernel.types;
  const auto size = types.size_of("page");
  if (!size || *size == 0 || *size > kMaxEntry) return fail(untold("the size of struct page"));
  entry_bytes_ = *size;
  const auto find = [&](std::string_view name, Field& field) {
    const auto member = types.member("page", name);
    // flags is a struct of one word since 53fbef56e07d (memdesc_flags_t), a word before.
    if (!member || member->size == 0 || member->size > 8) return false;
    field = {member->offset, member->size};
    return field.offset + field.size <= entry_bytes_;
  };
  // page_type shares its place with _mapcount (since 6e292b9be7f4); before, _mapcount served both.
  if (!find("page_type", type_) && !find("_mapcount", type_))
    return fail(untold("where struct page keeps its type"));
  for (const auto& [name, field] :
       std::initializer_list<std::pair<std::string_view, Field*>>{{"flags", &flags_field_},
                                                                  {"private", &order_},
                                                                  {"mapping", &mapping_},
                                                                  {"_refcount", &references_}})
    if (!find(name, *field)) return fail(untold("where struct page keeps " + std::string(name)));
  // Named anew by 4996fc547f5b; in the second of a folio's struct pages.
  for (const std::string_view name : {"_nr_pages", "_folio_nr_pages"})
    if (const auto member = types.member("folio", name); member && member->size == 4)
      folio_pages_ = Field{member->offset, member->size};
  if (folio_pages_ && folio_pages_->offset + folio_pages_->size > 2 * entry_bytes_)
    folio_pages_.reset();
  const auto buddy = kernel.vmcoreinfo.number("PAGE_BUDDY_MAPCOUNT_VALUE");
  const auto orders = kernel.vmcoreinfo.length("zone.free_area");
  if (!buddy || !orders || *orders > 32) return fail(untold("how it marks free pages"));
  buddy_type_ = static_cast<std::uint32_t>(*buddy);
  orders_ = *orders;
  return {};
}

base::Result<void> FrameUses::find_flags(const kernel::Kernel& kernel) {
  const auto bit = [&kernel](const std::string& name) -> std::optional<std::uint64_t> {
    auto number = kernel.vmcoreinfo.number(name);
    if (!number)
      if (const auto value = kernel.types.enum_value("", name)) number = *value;
    if (!number || *number < 0 || *number > 63) return std::nullopt;
    return std::uint64_t{1} << *number;
  };
  for (const auto& [name, flag] : std::initializer_list<std::pair<std::string, std::uint64_t*>>{
           {"PG_lru", &flags_.lru},
           {"PG_dirty", &flags_.dirty},
           {"PG_writeback", &flags_.writeback},
           {"PG_locked", &flags_.locked},
           {"PG_uptodate", &flags_.uptodate},
           {"PG_swapbacked", &flags_.swap_backed},
           {"PG_unevictable", &flags_.unevictable},
           {"PG_head", &flags_.head}}) {
    const auto value = bit(name);
    if (!value) return fail(untold("the flag " + name));
    *flag = *value;
  }
  // Without it pages with private data have a reference that is not accounted for: they are kept.
  flags_.with_private = bit("PG_private").value_or(0);
  return {};
}

base::Result<void> FrameUses::find_array(const kernel::Kernel& kernel) {
  const auto array = kernel::find_page_array(kernel, walked_);
  if (!array) return fail(array.error());
  array_ = array->start;
  return {};
}

// The kernel's text and page tables are certainly in use: if they are not, this is not the array.
// Other parts of its image are not: what only booting needs is freed (mm/page_alloc.c,
// free_reserved_area).
base::Result<void> FrameUses::check_against(const kernel::Kernel& kernel) {
  std::vector<std::uint64_t> in_use{kernel.space.root.value / kPageBytes,
                                    kernel.note.value / kPageBytes};
  const auto text_end = kernel.symbols.find("_etext");
  const std::uint64_t text =
      text_end ? std::min(text_end->value - kernel.space.image.start.value, kernel.space.image.size)
               : 1;
  for (std::uint64_t at = 0; at < text; at += std::uint64_t{2} << 20)
    in_use.push_back((kernel.space.image.physical.value + at) / kPageBytes);
  bool any_known = false;
  for (const std::uint64_t frame : in_use) {
    const std::uint64_t start = frame / kPiece * kPiece;
    std::vector<FrameUse> uses(kPiece);
    classify(start, uses);
    any_known = any_known || known_[frame - start];
    if (uses[frame - start] != FrameUse::in_use)
      return fail(Code::inconsistent,
                  "the guest's account of its pages calls a page free that its kernel lies in",
                  "take the snapshot without --skip free and cache");
  }
  if (!any_known) return fail(untold("where it keeps its account of page frames"));
  return {};
}

// Reads the entries of a piece: at once, or, where part of the array is not there, page by page.
void FrameUses::load(std::uint64_t first, std::uint64_t count) {
  entries_.assign(count * entry_bytes_, std::byte{});
  known_.assign(count, true);
  const GuestVirtual start = array_ + first * entry_bytes_;
  if (walked_.read(start, entries_)) return;
  for (std::uint64_t index = 0; index < count; ++index) {
    const auto entry = std::span(entries_).subspan(index * entry_bytes_, entry_bytes_);
    known_[index] = walked_.read(start + index * entry_bytes_, entry).has_value();
  }
}

std::uint64_t FrameUses::value(std::uint64_t index, Field field) const {
  std::uint64_t value = 0;
  const std::size_t at = index * entry_bytes_ + field.offset;
  if (at + field.size <= entries_.size()) std::memcpy(&value, &entries_[at], field.size);
  return value;
}

// A free block's first page has the type and the order (mm/page_alloc.c, __free_one_page).
std::uint64_t FrameUses::free_block(std::uint64_t frame, std::uint64_t index) const {
  if (static_cast<std::uint32_t>(value(index, type_)) != buddy_type_) return 0;
  const std::uint64_t order = value(index, order_);
  if (order >= orders_ || frame % (std::uint64_t{1} << order) != 0) return 0;
  return std::uint64_t{1} << order;
}

// File pages that can be read from the disk again and that nobody maps, reads or writes: the page
// cache's own references, one per page and one for private data, are the only ones.
std::uint64_t FrameUses::cached_folio(std::uint64_t frame, std::uint64_t index) const {
  const std::uint64_t flags = value(index, flags_field_);
  const std::uint64_t must = flags_.lru | flags_.uptodate;
  const std::uint64_t must_not =
      flags_.dirty | flags_.writeback | flags_.locked | flags_.swap_backed | flags_.unevictable;
  if ((flags & must) != must || (flags & must_not) != 0) return 0;
  const std::uint64_t mapping = value(index, mapping_);
  if (mapping == 0 || (mapping & kMappingFlags) != 0) return 0;
  std::uint64_t pages = 1;
  if ((flags & flags_.head) != 0) {
    if (!folio_pages_ || index + 1 >= known_.size() || !known_[index + 1]) return 0;
    pages = value(index, *folio_pages_);
    if (pages < 2 || pages > kPiece || (pages & (pages - 1)) != 0 || frame % pages != 0) return 0;
  }
  const std::uint64_t held = pages + ((flags & flags_.with_private) != 0 ? 1 : 0);
  return value(index, references_) == held ? pages : 0;
}

void FrameUses::classify(std::uint64_t first, std::span<FrameUse> uses) {
  std::ranges::fill(uses, FrameUse::in_use);
  load(first, uses.size());
  for (std::uint64_t index = 0; index < uses.size();) {
    std::uint64_t pages = 0;
    FrameUse use = FrameUse::free;
    if (known_[index]) {
      pages = free_block(first + index, index);
      if (pages == 0) {
        use = FrameUse::clean_cache;
        pages = cached_folio(first + index, index);
      }
    }
    const std::uint64_t marked = std::min<std::uint64_t>(pages, uses.size() - index);
    std::fill_n(uses.begin() + static_cast<std::ptrdiff_t>(index), marked, use);
    index += std::max<std::uint64_t>(marked, 1);
  }
}

}  // namespace vitrine::images
