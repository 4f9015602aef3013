// Follows a sleeping task's kernel stack from function to function, by the tables that the x86
// kernel carries for itself (ORC, arch/x86/kernel/unwind_orc.c), or else by frame pointers.
//
// The layout of a table's entries comes from the guest's BTF. `end`, until 6.4, was a bit of its
// own, and types were numbered from 0: the member tells. How registers are numbered, which has
// changed, too, the tables themselves tell: every function begins with the same rule, and most go
// on alike.
//
// Thread contract: one thread at a time. Cost: some 25 loads a frame (a binary search).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/registers.h"
#include "vitrine/views/module_list.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class Unwinder {
 public:
  static constexpr std::size_t kMaxFrames = 256;
  static constexpr std::uint64_t kMostStack = 64 << 10;  // THREAD_SIZE, of kernels with KASAN

  enum class End : std::uint8_t {
    whole,       // as far as the stack goes
    unreadable,  // a page of it is not there: see the reader's fault
    stopped,     // the caller had seen enough
    astray,      // it leads nowhere: damaged, changed while it was read, or without tables
  };

  // Errors: the member that is missing; `unsupported` for a kernel without ORC tables; as reading
  // them. Cost: 200 KB of the tables are read.
  static base::Result<Unwinder> attach(const kernel::Kernel& kernel,
                                       memory::PhysicalMemory& memory);

  struct Frame {
    base::GuestVirtual address;
    // It is where the function goes on itself, not where a call in it returns to.
    bool exact = false;
    // The stack pointer there: what the function keeps is from here on, up to the next frame's.
    base::GuestVirtual sp = {};
  };

  // The frames on the stack of a task that does not run, innermost first.
  End unwind(Reader& reader, const ModuleList& modules, base::GuestVirtual task,
             std::vector<Frame>& frames) const {
    return unwind(reader, modules, task, frames, [](const Frame&) { return true; });
  }

  // The same as long as `go_on`, which is asked with each frame once that is added, says so.
  template <class GoOn>
  End unwind(Reader& reader, const ModuleList& modules, base::GuestVirtual task,
             std::vector<Frame>& frames, GoOn go_on) const;

  // The same of one that runs in the kernel, from its processor's registers. They are to be of the
  // same instant as the memory; else the stack may lead astray.
  End unwind_running(Reader& reader, const ModuleList& modules, base::GuestVirtual task,
                     const memory::X86GeneralRegisters& registers,
                     std::vector<Frame>& frames) const;

 private:
  // ORC_REG_*, arch/x86/include/asm/orc_types.h, until 7.0. Nothing: this kernel's is not known.
  struct Registers {
    static constexpr std::uint32_t undefined = 0;
    std::uint32_t sp = 5;
    std::uint32_t bp = 4;
    std::uint32_t previous_sp = 1;
    std::optional<std::uint32_t> bp_indirect = 8;
    std::optional<std::uint32_t> sp_indirect = 9;
  };

  static constexpr std::size_t kMostEntry = 32;  // bytes; they take 6

  enum class Kind : std::uint8_t { undefined, end, call, registers, interrupt };

  struct Bits {
    std::uint32_t byte = 0, shift = 0, mask = 0;
  };

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    std::uint32_t stack = 0, stack_pointer = 0;
    std::uint32_t frame_bp = 0, frame_return = 0, frame_size = 0;
    std::uint32_t regs_ip = 0, regs_cs = 0, regs_sp = 0, regs_bp = 0;
    base::GuestVirtual addresses, entries;  // of the kernel itself
    std::uint64_t count = 0;
    base::GuestVirtual code, code_end;  // that they are of
    std::array<base::GuestVirtual, 2> first_of_task{};
    std::uint32_t entry_size = 0, sp_offset = 0, bp_offset = 0;
    Bits sp_register, bp_register, kind, end;
    bool end_is_a_bit = false;
    Registers registers = {};
  };

  // One entry of the tables.
  struct Rule {
    std::int16_t sp_offset = 0, bp_offset = 0;
    std::uint32_t sp_register = Registers::undefined, bp_register = Registers::undefined;
    Kind kind = Kind::undefined;
  };

  struct State {
    base::GuestVirtual ip, sp, bp;
    bool exact = false;  // `ip` is where it was interrupted, not where a call returns to
  };

  explicit Unwinder(Fields fields) : fields_(fields) {}

  static Bits bits(const kernel::Member& member);
  static void resolve_rules(Resolver& at, const kernel::TypeLookup& types, Fields& fields);
  static base::Result<Registers> number_registers(const Fields& fields,
                                                  memory::VirtualMemory& memory);
  static Rule rule_of(const Fields& fields, std::span<const std::byte> entry);

  template <class GoOn>
  End follow(Reader& reader, const ModuleList& modules, base::GuestVirtual stack, State state,
             std::vector<Frame>& frames, GoOn go_on) const;
  bool find_rule(Reader& reader, const ModuleList& modules, base::GuestVirtual address,
                 Rule& rule) const;
  bool search(Reader& reader, base::GuestVirtual addresses, std::uint64_t count,
              base::GuestVirtual address, std::uint64_t& index) const;
  bool load_rule(Reader& reader, base::GuestVirtual at, Rule& rule) const;
  End step(Reader& reader, const Rule& rule, State& state, bool& in_user_mode) const;

  Fields fields_;
};

template <class GoOn>
Unwinder::End Unwinder::unwind(Reader& reader, const ModuleList& modules, base::GuestVirtual task,
                               std::vector<Frame>& frames, GoOn go_on) const {
  base::GuestVirtual stack;
  base::GuestVirtual frame;
  State state;
  if (!reader.load(task + fields_.stack, stack.value) ||
      !reader.load(task + fields_.stack_pointer, frame.value) ||
      !reader.load(frame + fields_.frame_return, state.ip.value) ||
      !reader.load(frame + fields_.frame_bp, state.bp.value))
    return End::unreadable;
  state.sp = frame + fields_.frame_size;
  // A task that has not run yet begins there.
  state.exact = std::ranges::find(fields_.first_of_task, state.ip) != fields_.first_of_task.end();
  return follow(reader, modules, stack, state, frames, std::move(go_on));
}

// An interrupt runs on a stack of its processor's, which leads to that of the task.
template <class GoOn>
Unwinder::End Unwinder::follow(Reader& reader, const ModuleList& modules, base::GuestVirtual stack,
                               State state, std::vector<Frame>& frames, GoOn go_on) const {
  bool on_task_stack = state.sp - stack <= kMostStack;
  while (frames.size() < kMaxFrames) {
    frames.push_back({state.ip, state.exact, state.sp});
    if (!go_on(frames.back())) return End::stopped;
    Rule rule;
    const base::GuestVirtual before = state.sp;
    bool in_user_mode = false;
    if (!find_rule(reader, modules, state.exact ? state.ip : state.ip - 1, rule))
      return End::astray;
    if (rule.kind == Kind::end) return End::whole;
    if (rule.kind == Kind::undefined) return End::astray;
    if (const End end = step(reader, rule, state, in_user_mode); end != End::whole) return end;
    if (in_user_mode) return End::whole;
    const bool arrives = !on_task_stack && state.sp - stack <= kMostStack;
    on_task_stack = on_task_stack || arrives;
    // Each frame lies above the one that it called.
    if (!arrives && (state.sp <= before || (on_task_stack && state.sp - stack > kMostStack)))
      return End::astray;
  }
  return End::astray;
}

}  // namespace vitrine::views
