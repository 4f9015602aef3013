// Reading guest-virtual memory where speed does not matter: when a kernel is first recognised and
// its tables are taken in. Views use the inlined readers of paging/ instead.
//
// Thread contract: one thread at a time per object.
#pragma once

#include <cstddef>
#include <span>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"

namespace vitrine::memory {

class VirtualMemory {
 public:
  virtual ~VirtualMemory() = default;

  // Fills `into` from guest-virtual `address`, each byte fetched once. Errors: `absent` where a
  // page is not mapped, swapped out or not populated, `unreadable` where the host could not read
  // it.
  virtual base::Result<void> read(base::GuestVirtual address, std::span<std::byte> into) = 0;
};

}  // namespace vitrine::memory
