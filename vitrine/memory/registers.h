// What a vCPU's registers say about where the running kernel is. A value: whoever can ask a VMM
// for registers fills it in, whoever looks for a kernel uses it as the anchor.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>

namespace vitrine::memory {

// x86 control state of one vCPU (Intel SDM vol. 3, 2.5 "Control Registers", 2.2.1 "EFER").
struct X86Registers {
  std::uint64_t cr0 = 0;
  std::uint64_t cr3 = 0;
  std::uint64_t cr4 = 0;
  std::uint64_t efer = 0;
  std::uint64_t idt_base = 0;  // guest-virtual
  std::uint64_t rip = 0;

  bool paging() const { return (cr0 >> 31 & 1) != 0; }
  bool long_mode() const { return (efer >> 10 & 1) != 0; }
  bool five_level() const { return (cr4 >> 12 & 1) != 0; }
};

}  // namespace vitrine::memory
