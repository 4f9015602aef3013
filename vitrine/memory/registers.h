// The registers of a vCPU. Values: whoever can ask a VMM for registers fills them in; whoever looks
// for a kernel uses the control registers as the anchor, whoever writes a memory image keeps the
// general ones.
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

// x86-64 general-purpose and segment state of one vCPU, as a core file keeps it of a thread.
struct X86GeneralRegisters {
  std::uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0, rsi = 0, rdi = 0, rbp = 0, rsp = 0;
  std::uint64_t r8 = 0, r9 = 0, r10 = 0, r11 = 0, r12 = 0, r13 = 0, r14 = 0, r15 = 0;
  std::uint64_t rip = 0, rflags = 0;
  std::uint16_t cs = 0, ss = 0, ds = 0, es = 0, fs = 0, gs = 0;  // selectors
  std::uint64_t fs_base = 0, gs_base = 0;                        // guest-virtual

  friend bool operator==(const X86GeneralRegisters&, const X86GeneralRegisters&) = default;
};

}  // namespace vitrine::memory
