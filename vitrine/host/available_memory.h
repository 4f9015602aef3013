// How much memory this host could still give.
//
// Thread contract: independent reads of procfs. No effect on the guest.
#pragma once

#include <cstdint>

namespace vitrine::host {

// Bytes that the host could give without swapping (proc(5), MemAvailable); 0 where it doesn't tell.
std::uint64_t available_memory();

}  // namespace vitrine::host
