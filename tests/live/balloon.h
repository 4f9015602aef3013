// Memory that a test guest gives back to its host: for guests with a virtio-balloon.
//
// Thread contract: free functions; they occupy the VM's QMP socket for a moment.
#pragma once

#include <cstdint>

#include "tests/live/guest.h"

namespace vitrine::live {

// Has the guest keep that many bytes of its memory. Throws std::runtime_error if it does not within
// half a minute.
void inflate_balloon(Guest& guest, std::uint64_t kept);

}  // namespace vitrine::live
