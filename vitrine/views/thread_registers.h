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
#include "vitrine/views/reader.h"
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
  End read(Reader& reader, base::GuestVirtual task, memory::X86GeneralRegisters& registers) const;

  // The processor that the task runs on; nothing where it does not, or that can't be read.
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

}  // namespace vitrine::views
