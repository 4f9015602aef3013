// Builds x86-64 page tables in a synthetic guest's RAM (Intel SDM vol. 3, chapter 4 "Paging").
// Levels count from 1, the table whose entries map 4 KB pages, to the root: 4 or 5.
//
// Thread contract: one thread at a time.
#pragma once

#include <optional>

#include "tests/synthetic/frame_allocator.h"
#include "tests/synthetic/memory.h"

namespace vitrine::synthetic {

// Bits of a page-table entry (arch/x86/include/asm/pgtable_types.h).
constexpr std::uint64_t entry_present = 1;
constexpr std::uint64_t entry_writable = 1 << 1;
constexpr std::uint64_t entry_user = 1 << 2;
constexpr std::uint64_t entry_accessed = 1 << 5;
constexpr std::uint64_t entry_dirty = 1 << 6;
constexpr std::uint64_t entry_large = 1 << 7;
constexpr std::uint64_t entry_global = 1 << 8;           // with entry_present
constexpr std::uint64_t entry_protection_none = 1 << 8;  // without entry_present
constexpr std::uint64_t entry_no_execute = 1ULL << 63;
constexpr std::uint64_t entry_address_mask = 0x000ffffffffff000;

constexpr std::uint64_t kernel_page =
    entry_present | entry_writable | entry_accessed | entry_dirty | entry_global;
constexpr std::uint64_t user_page =
    entry_present | entry_writable | entry_user | entry_accessed | entry_dirty;

class PageTables {
 public:
  // Tables whose root is the zeroed page at `root`; further tables come from `frames`.
  PageTables(Memory& memory, FrameAllocator& frames, int levels, GuestPhysical root)
      : memory_(&memory), frames_(&frames), levels_(levels), root_(root) {}
  // Tables with a new root.
  PageTables(Memory& memory, FrameAllocator& frames, int levels)
      : PageTables(memory, frames, levels, frames.take()) {}

  GuestPhysical root() const { return root_; }
  int levels() const { return levels_; }

  // Maps one page of 4 KB, 2 MB or 1 GB: an entry of level 1, 2 or 3.
  void map(GuestVirtual at, GuestPhysical to, int level = 1, std::uint64_t flags = kernel_page);
  // Maps `size` bytes with the largest pages that fit and are of at most `largest_level`.
  void map_range(GuestVirtual at, GuestPhysical to, std::uint64_t size, int largest_level,
                 std::uint64_t flags = kernel_page);
  // Makes the 4 KB page swapped out: an entry not present, with swap type and offset as Linux
  // writes them (arch/x86/include/asm/pgtable_64.h, __swp_entry).
  void swap_out(GuestVirtual at, std::uint64_t swap_type, std::uint64_t swap_offset);
  // Maps the 4 KB page as mprotect(PROT_NONE) and NUMA balancing leave it: the frame is there, not
  // present to the CPU, its number inverted (arch/x86/include/asm/pgtable-invert.h).
  void map_protection_none(GuestVirtual at, GuestPhysical to);
  // Writes any entry of any level; makes the tables above it.
  void set_entry(GuestVirtual at, int level, std::uint64_t entry);
  std::uint64_t entry(GuestVirtual at, int level) {
    return memory_->get<std::uint64_t>(entry_at(at, level));
  }
  // Where the entry is; makes the tables above it.
  GuestPhysical entry_at(GuestVirtual at, int level);

  // Takes over the root's entries for the kernel's half, as every process has them.
  void share_kernel_half(const PageTables& kernel);
  // Takes over the root's entries for the user's half, as the second root of page-table isolation
  // has them.
  void share_user_half(const PageTables& process);

 private:
  void share_root(const PageTables& other, std::uint64_t first, std::uint64_t end);

  Memory* memory_;
  FrameAllocator* frames_;
  int levels_;
  GuestPhysical root_;
};

// Translates with the plainest possible walk, as a second opinion for tests of the real one: what
// the CPU would access in kernel mode; nothing where it would fault.
std::optional<GuestPhysical> naive_translate(const Memory& memory, GuestPhysical root, int levels,
                                             GuestVirtual at);

}  // namespace vitrine::synthetic
