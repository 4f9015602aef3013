// What the guest's kernel uses each page frame for, from its own account of them: one struct page
// per frame, in one virtual array (vmemmap; Documentation/mm/memory-model.rst).
//
// The guest goes on allocating while this is read: what it says is true of the moment each entry
// was read, and certain only of memory of one instant.
//
// Thread contract: as the memory. Cost: 64 bytes read per frame. Private memory: below 1 MiB, and
// what page-table walks keep.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::images {

enum class FrameUse : std::uint8_t {
  in_use,       // or not known: what can't be told is never left out
  free,         // in the buddy allocator's lists
  clean_cache,  // a copy of what is on the guest's disk, which nothing but the page cache refers to
};

class FrameUses {
 public:
  // Frames are asked for in pieces of this many, aligned, so that no block of the allocator and no
  // folio reaches from one piece into the next.
  static constexpr std::uint64_t kPiece = 1024;

  // `kernel` and `memory` outlive this object. Errors: `unsupported` where the kernel does not tell
  // how it keeps its page frames; `inconsistent` where it takes pages for free that it lies in.
  static base::Result<FrameUses> create(const kernel::Kernel& kernel,
                                        memory::PhysicalMemory& memory);

  // Sets the use of the frames from `first` on. REQUIRES: they lie within one aligned piece.
  void classify(std::uint64_t first, std::span<FrameUse> uses);

 private:
  // Where a member is in struct page, and how many bytes of it are looked at.
  struct Field {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  // Bits of page->flags.
  struct Flags {
    std::uint64_t lru = 0, dirty = 0, writeback = 0, locked = 0, uptodate = 0;
    std::uint64_t swap_backed = 0, unevictable = 0, with_private = 0, head = 0;
  };

  FrameUses(const kernel::Kernel& kernel, memory::PhysicalMemory& memory)
      : walked_(*kernel.space.format, kernel.space.root, memory) {}

  base::Result<void> find_fields(const kernel::Kernel& kernel);
  base::Result<void> find_flags(const kernel::Kernel& kernel);
  base::Result<void> find_array(const kernel::Kernel& kernel);
  base::Result<void> check_against(const kernel::Kernel& kernel);

  void load(std::uint64_t first, std::uint64_t count);
  std::uint64_t value(std::uint64_t index, Field field) const;
  // How many frames from `index` on are free or cache as that entry says; 0: neither.
  std::uint64_t free_block(std::uint64_t frame, std::uint64_t index) const;
  std::uint64_t cached_folio(std::uint64_t frame, std::uint64_t index) const;

  paging::WalkedMemory walked_;
  base::GuestVirtual array_;
  std::uint64_t entry_bytes_ = 0;
  Field flags_field_, type_, order_, mapping_, references_;
  std::optional<Field> folio_pages_;
  std::uint64_t buddy_type_ = 0;
  std::uint64_t orders_ = 0;  // an order is below this
  Flags flags_;
  std::vector<std::byte> entries_;
  std::vector<bool> known_;
};

}  // namespace vitrine::images
