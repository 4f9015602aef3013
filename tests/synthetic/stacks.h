// Kernel stacks of a synthetic guest's sleeping tasks, and the tables by which they are unwound.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

// What the unwind tables say from an address of the kernel's code on, up to the next.
struct UnwindRule {
  enum class Kind : std::uint8_t { undefined, end, call, registers, interrupt };

  std::uint64_t offset = 0;  // from _text, bytes
  Kind kind = Kind::call;
  std::int16_t sp_offset = 8;
  std::uint8_t sp_register = 5;  // the stack pointer
  std::int16_t bp_offset = 0;
  std::uint8_t bp_register = 0;  // it is as before
};

class Stacks {
 public:
  static constexpr std::uint64_t size = 16 << 10;

  explicit Stacks(Kernel& kernel) : kernel_(kernel) {}

  // REQUIRES: at most Kernel::unwind_entries, ascending.
  void set_rules(const std::vector<UnwindRule>& rules);

  // Gives a task a stack, whose words, above those that a switch of tasks saves, are these. Where
  // its first word is.
  GuestVirtual add(GuestVirtual task, GuestVirtual return_address, std::uint64_t frame_pointer,
                   const std::vector<std::uint64_t>& words);

 private:
  std::uint8_t type_of(UnwindRule::Kind kind) const;

  Kernel& kernel_;
};

}  // namespace vitrine::synthetic
