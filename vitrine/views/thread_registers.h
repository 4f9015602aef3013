// The registers that a thread has in user mode, from where the kernel keeps them while it does not
// run: struct pt_regs at the top of its kernel stack, and struct thread_struct.
// Source: task_pt_regs() in arch/x86/include/asm/processor.h.
//
// Thread contract: immutable. Cost: some 30 loads a thread.
#pragma once

#include <array>
#include <optional>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/registers.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class ThreadRegisters {
 public:
  // Errors: the member that is missing; `unsupported` where the size of kernel stacks is not told.
  static base::Result<ThreadRegisters> attach(const kernel::Kernel& kernel);

  enum class End : std::uint8_t {
    read,
    unreadable,  // see the reader's fault
    elsewhere,   // not of user mode: it is no user's thread, or has not been there yet
  };

  // Of the struct task_struct at `task`.
  template <class Reader>
  End read(Reader& reader, base::GuestVirtual task, memory::X86GeneralRegisters& registers) const;

  // The processor that the task runs on; nothing where it does not, or that can't be read.
  template <class Reader>
  std::optional<std::uint32_t> processor(Reader& reader, base::GuestVirtual task) const;

  static bool in_user_mode(const memory::X86GeneralRegisters& registers) {
    return (registers.cs & 3) == 3;
  }

 private:
  using Wide = std::uint64_t memory::X86GeneralRegisters::*;
  struct Place {
    std::uint32_t offset = 0;
    Wide member = nullptr;
  };

  static constexpr std::size_t kWide = 18;

  std::array<Place, kWide> wide_{};                                             // in struct pt_regs
  std::uint32_t cs_ = 0, ss_ = 0;                                               // the same
  std::uint32_t size_ = 0;                                                      // of struct pt_regs
  std::uint32_t stack_ = 0, fs_base_ = 0, gs_base_ = 0, on_cpu_ = 0, cpu_ = 0;  // task_struct
  std::uint64_t stack_size_ = 0;
};

template <class Reader>
ThreadRegisters::End ThreadRegisters::read(Reader& reader, base::GuestVirtual task,
                                           memory::X86GeneralRegisters& registers) const {
  // Where the processor has FRED, since 6.9, entries leave that much above (65c9cc9e2c14).
  constexpr std::uint64_t kFredPadding = 16;
  base::GuestVirtual stack;
  if (!reader.load(task + stack_, stack.value)) return End::unreadable;
  for (const std::uint64_t padding : {std::uint64_t{0}, kFredPadding}) {
    const base::GuestVirtual at = stack + (stack_size_ - padding - size_);
    if (!reader.load(at + cs_, registers.cs) || !reader.load(at + ss_, registers.ss))
      return End::unreadable;
    if (!in_user_mode(registers) || (registers.ss & 3) != 3) continue;
    for (const Place& place : wide_)
      if (!reader.load(at + place.offset, registers.*place.member)) return End::unreadable;
    return reader.load(task + fs_base_, registers.fs_base) &&
                   reader.load(task + gs_base_, registers.gs_base)
               ? End::read
               : End::unreadable;
  }
  return End::elsewhere;
}

template <class Reader>
std::optional<std::uint32_t> ThreadRegisters::processor(Reader& reader,
                                                        base::GuestVirtual task) const {
  std::uint8_t runs = 0;  // an int until 7.0: its lowest byte
  std::uint32_t number = 0;
  if (on_cpu_ == 0 || !reader.load(task + on_cpu_, runs) || runs == 0 ||
      !reader.load(task + cpu_, number))
    return std::nullopt;
  return number;
}

}  // namespace vitrine::views
