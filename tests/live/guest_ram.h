// The RAM of a test's own VM, to damage it on purpose: only of a VM that a test has started, whose
// RAM is a memfd (memory-backend-memfd,share=on).
//
// Thread contract: one thread. Writes to the guest: it may not survive.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "tests/live/guest.h"

namespace vitrine::live {

class GuestRam {
 public:
  // Throws std::runtime_error if the VMM has no such RAM.
  explicit GuestRam(const Guest& guest);
  ~GuestRam();
  GuestRam(const GuestRam&) = delete;
  GuestRam& operator=(const GuestRam&) = delete;

  // Overwrites every occurrence of `what` with as many bytes X; how many there were.
  int blot_out(std::string_view what);

 private:
  std::span<char> bytes_;
};

}  // namespace vitrine::live
