#include "vitrine/views/thread_registers.h"

#include <algorithm>

namespace vitrine::views {
namespace {

// The bounds of the first task's stack are named, and all are as large (renamed in 6.10,
// 8f69cba096b5).
std::optional<std::uint64_t> stack_size(const kernel::Kernel& kernel) {
  constexpr std::array<std::string_view, 4> kBounds{"__start_init_stack", "__end_init_stack",
                                                    "__start_init_task", "__end_init_task"};
  constexpr std::uint64_t kSmallest = 8 << 10;
  constexpr std::uint64_t kLargest = 256 << 10;
  const auto symbols = kernel.symbols.find(kBounds);
  for (std::size_t start : {0U, 2U}) {
    if (!symbols[start] || !symbols[start + 1]) continue;
    const std::uint64_t size = *symbols[start + 1] - *symbols[start];
    if (size >= kSmallest && size <= kLargest) return size;
  }
  return std::nullopt;
}

}  // namespace

base::Result<ThreadRegisters> ThreadRegisters::attach(const kernel::Kernel& kernel) {
  using R = memory::X86GeneralRegisters;
  constexpr std::array<std::pair<std::string_view, Wide>, kWide> kNames{{{"r15", &R::r15},
                                                                         {"r14", &R::r14},
                                                                         {"r13", &R::r13},
                                                                         {"r12", &R::r12},
                                                                         {"bp", &R::rbp},
                                                                         {"bx", &R::rbx},
                                                                         {"r11", &R::r11},
                                                                         {"r10", &R::r10},
                                                                         {"r9", &R::r9},
                                                                         {"r8", &R::r8},
                                                                         {"ax", &R::rax},
                                                                         {"cx", &R::rcx},
                                                                         {"dx", &R::rdx},
                                                                         {"si", &R::rsi},
                                                                         {"di", &R::rdi},
                                                                         {"ip", &R::rip},
                                                                         {"flags", &R::rflags},
                                                                         {"sp", &R::rsp}}};
  const auto size = stack_size(kernel);
  if (!size)
    return base::fail(base::Code::unsupported,
                      "this kernel's symbols do not tell how large its stacks are");
  Resolver at(kernel.types);
  ThreadRegisters registers;
  registers.stack_size_ = *size;
  registers.size_ = at.size("pt_regs");
  for (std::size_t i = 0; i < kWide; ++i)
    registers.wide_[i] = {at("pt_regs", kNames[i].first), kNames[i].second};
  registers.cs_ = at("pt_regs", "cs");
  registers.ss_ = at("pt_regs", "ss");
  registers.stack_ = at("task_struct", "stack");
  registers.fs_base_ = at("task_struct", "thread.fsbase");
  registers.gs_base_ = at("task_struct", "thread.gsbase");
  if (kernel.types.has_member("task_struct", "on_cpu")) {  // CONFIG_SMP
    registers.on_cpu_ = at("task_struct", "on_cpu");
    registers.cpu_ = at("task_struct", {"thread_info.cpu", "cpu"});  // moved in 5.16
  }
  if (at.error()) return base::fail(*at.error());
  return registers;
}

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
