// The types a synthetic kernel has: the members that views and the kernel's recognition need, with
// the variants that kernels of different age show.
//
// Thread contract: pure functions.
#pragma once

#include "tests/synthetic/types.h"

namespace vitrine::synthetic {

enum class RssLayout {
  atomic_counters,  // struct mm_rss_stat { atomic_long_t count[4]; }
  percpu_counters,  // struct percpu_counter rss_stat[4], from commit f1a7941243c1
};

enum class TimekeeperHome {
  anonymous,        // tk_core: an anonymous struct of sequence count and struct timekeeper
  tk_data,          // tk_core: struct tk_data
  timekeeper_data,  // timekeeper_data: array of struct tk_data
};

// How struct page says what a page is.
enum class PageTypes {
  map_count,  // _mapcount holds a negative value for a page of a type
  bits,       // page_type, a bit cleared per type, from commit 6e292b9be7f4
  byte,       // page_type, the type in its highest byte, from commit 4ffca5a96678
};

// Where a module's code is.
enum class ModuleMemory {
  layouts,  // core_layout and init_layout
  several,  // mem[], from commit ac3b43283923
};

// How an entry of the unwind tables says that a stack ends.
enum class UnwindRules {
  with_end_bit,   // a bit of its own; types begin with calls
  with_end_type,  // a type, from commit fb799447ae29
};

// Where the regions of a process's memory are.
enum class RegionHome {
  tree,  // mm_mt, a maple tree, from commit 763ecb035029
  list,  // mmap
};

// How a lock knows those that wait for it.
enum class LockLists {
  headed,   // they are a list whose head is in the lock
  pointed,  // it points to the first of them (7.1)
};

// What the kernel's locks are made of.
enum class LockForms {
  several_processors,  // qspinlock, qrwlock, and semaphores with a count
  real_time,           // PREEMPT_RT: rt_mutex and rwbase
  one_processor,       // without SMP spinlocks keep no word
};

// Numbers of the counters in rss_stat (include/linux/mm_types_task.h).
enum RssCounter : std::uint8_t {
  file_pages = 0,
  anonymous_pages = 1,
  swap_entries = 2,
  shmem_pages = 3
};

// The value of page_type or _mapcount that marks a free block.
constexpr std::int32_t buddy_type(PageTypes pages) {
  return pages == PageTypes::byte ? static_cast<std::int32_t>(0xf0000000U) : -129;
}

// Bits of page->flags, by the name of their enumerator: kernels of different age number them
// differently.
std::vector<std::pair<std::string, int>> page_flags(PageTypes pages);

Types kernel_types(RssLayout rss, TimekeeperHome timekeeper, unsigned shuffle_seed,
                   PageTypes pages = PageTypes::bits, ModuleMemory modules = ModuleMemory::several,
                   UnwindRules rules = UnwindRules::with_end_type,
                   RegionHome regions = RegionHome::tree, LockLists lists = LockLists::headed,
                   LockForms locks = LockForms::several_processors);

}  // namespace vitrine::synthetic
