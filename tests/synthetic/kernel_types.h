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

// Numbers of the counters in rss_stat (include/linux/mm_types_task.h).
enum RssCounter : std::uint8_t {
  file_pages = 0,
  anonymous_pages = 1,
  swap_entries = 2,
  shmem_pages = 3
};

Types kernel_types(RssLayout rss, TimekeeperHome timekeeper, unsigned shuffle_seed);

}  // namespace vitrine::synthetic
