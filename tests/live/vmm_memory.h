// What a VMM's memory takes from the host, to show that observing it takes nothing.
//
// Thread contract: free functions.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ostream>

namespace vitrine::live {

struct VmmMemory {
  std::uint64_t rss_bytes = 0;        // smaps_rollup's Rss
  std::uint64_t anonymous_bytes = 0;  // Pss_Anon
  std::uint64_t shared_bytes = 0;     // Pss_Shmem
  std::uint64_t backend_bytes = 0;    // blocks allocated to memory files that it holds open
};

// What a quiet guest may touch by itself meanwhile, and what its VMM may: it gets memory of its own
// in huge pages of 2 MB, where the host gives them.
inline constexpr std::uint64_t kGuestNoise = 2 << 20;
inline constexpr std::uint64_t kVmmNoise = 3 * kGuestNoise;

// Throws std::runtime_error if /proc of the process cannot be read.
VmmMemory vmm_memory(pid_t vmm);

std::ostream& operator<<(std::ostream& stream, const VmmMemory& memory);

}  // namespace vitrine::live
