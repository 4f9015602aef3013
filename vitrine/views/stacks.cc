#include "vitrine/views/stacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {
namespace {

constexpr std::size_t kMaxFrames = 1U << 20;  // of all tasks

std::string text_of(const Function& function) {
  return fmt::format("{}+{:#x}/{:#x}", function.name, function.offset, function.size);
}

}  // namespace

constinit const std::array<Column, Stacks::kColumns> Stacks::kColumnDeclarations{{
    {"pid", Type::integer, "id of the task itself"},
    {"tgid", Type::integer, "id of its process"},
    {"comm", Type::text, "name of the task, at most 15 bytes"},
    {"state", Type::text, "what it does, one letter as in ps"},
    {"frame", Type::integer, "place on the stack: 0 is the innermost function"},
    {"function", Type::text, "the function, how far in it is, and how long it is: name+0x10/0x40"},
    {"module", Type::text, "the module that has the function; null for the kernel itself"},
    {"address", Type::address, "where the function goes on, or the program of a task in user mode"},
    {"runs", Type::text,
     "kernel or user: what a task that runs on a processor is in, by that processor's registers; "
     "null for a task that does not run"},
}};

std::span<const Column> Stacks::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Stacks::attach(const kernel::Kernel& kernel,
                                                   memory::PhysicalMemory& memory,
                                                   const StackOptions& options) {
  auto processes = Processes::attach(
      kernel, memory,
      {.threads = options.threads || options.pid.has_value(), .command_lines = false});
  if (!processes) return processes;
  auto modules = ModuleList::attach(kernel);
  if (!modules) return base::fail(modules.error());
  const auto unwinder = attach_unwinder(kernel, memory);
  if (!unwinder) return base::fail(unwinder.error());
  Resolver at(kernel.types);
  const bool several = kernel.types.has_member("task_struct", "on_cpu");  // CONFIG_SMP
  Running running;
  if (several) running.on_cpu = at("task_struct", "on_cpu");
  // Back in thread_info since 5.16 (bcf9033e5449).
  running.cpu = at("task_struct", {"thread_info.cpu", "cpu"});
  if (at.error()) return base::fail(*at.error());
  running.offsets = kernel.symbols.find("__per_cpu_offset");
  return std::unique_ptr<View>(
      new Stacks(std::move(*processes), std::move(*modules), *unwinder, running, options));
}

base::Result<Stacks::AnyUnwinder> Stacks::attach_unwinder(const kernel::Kernel& kernel,
                                                          memory::PhysicalMemory& memory) {
  if (kernel.architecture == kernel::Architecture::arm64) {
    auto unwinder = FramePointers::attach(kernel);
    if (!unwinder) return base::fail(unwinder.error());
    return *unwinder;
  }
  auto unwinder = Unwinder::attach(kernel, memory);
  if (!unwinder) return base::fail(unwinder.error());
  return *unwinder;
}

bool Stacks::wanted(const Process& process) const {
  return !options_.pid || process.pid == *options_.pid ||
         (options_.threads && process.tgid == *options_.pid);
}

// Of stacks themselves nobody holds a lock.
std::span<const GlobalGuard> Stacks::global_guards() const {
  static constexpr std::array<GlobalGuard, 3> kGuards{{
      {LockKind::rwlock, "tasklist_lock"},
      {LockKind::spinlock, "pidmap_lock", true},
      {LockKind::mutex, "module_mutex"},
  }};
  return kGuards;
}

Outcome Stacks::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Stacks::collect_rows(Reader& reader, Outcome outcome) {
  frames_.clear();
  registers_.reset();
  if (!modules_.read(reader)) {
    outcome.complete = false;
    outcome.warnings.emplace_back("the list of modules could not be read to its end");
  }
  bool found = false;
  for (std::size_t i = 0; i < processes().processes().size(); ++i) {
    if (!wanted(processes().processes()[i])) continue;
    found = true;
    if (frames_.size() >= kMaxFrames) {
      outcome.complete = false;
      outcome.warnings.push_back("only the first " + std::to_string(kMaxFrames) +
                                 " functions are shown");
      break;
    }
    collect_task(reader, i, outcome);
  }
  if (!found && options_.pid)
    outcome.warnings.push_back("the guest has no task " + std::to_string(*options_.pid));
  else if (!found)
    outcome.complete = false;
  else if (frames_.empty())
    outcome.warnings.emplace_back("the task has exited and has no stack any more");
  return outcome;
}

void Stacks::collect_task(Reader& reader, std::size_t index, Outcome& outcome) {
  const Process& process = processes().processes()[index];
  if (process.state == 'Z' || process.state == 'X') return;
  std::uint8_t on_cpu = 0;  // an int until 7.0: its lowest byte
  if (running_.on_cpu != 0 && !reader.load(process.task + running_.on_cpu, on_cpu)) on_cpu = 0;
  if (on_cpu != 0) return collect_running(reader, index, outcome);
  stack_.clear();
  const auto* const tables = std::get_if<Unwinder>(&unwinder_);
  const Unwinder::End end =
      tables != nullptr ? tables->unwind(reader, modules_, process.task, stack_)
                        : std::get<FramePointers>(unwinder_).unwind(reader, process.task, stack_);
  add_frames(reader, index, end, false, outcome);
}

void Stacks::add_frames(Reader& reader, std::size_t index, Unwinder::End end, bool live,
                        Outcome& outcome) {
  for (std::uint32_t number = 0; number < stack_.size(); ++number) {
    const Unwinder::Frame& frame = stack_[number];
    // A call may be the last instruction of its function: what it returns to is the next one's.
    auto function = modules_.function(reader, frame.exact ? frame.address : frame.address - 1);
    if (function && !frame.exact) ++function->offset;
    frames_.push_back({.process = index,
                       .number = number,
                       .address = frame.address,
                       .function = std::move(function),
                       .live = live});
  }
  if (end == Unwinder::End::whole) return;
  outcome.complete = false;
  if (outcome.warnings.size() >= kMaxWarnings) return;
  const bool unreadable = end == Unwinder::End::unreadable;
  outcome.warnings.push_back(
      fmt::format("the stack of task {} breaks off after {} functions{}",
                  processes().processes()[index].pid, stack_.size(),
                  unreadable ? ": " + std::string(paging::name(reader.fault())) : std::string()));
}

// What runs in the kernel has its own part of the per-CPU variables at the base of GS; what runs in
// user mode has not: it is taken to be on the processor of that number.
const memory::X86GeneralRegisters* Stacks::registers_of(Reader& reader, const Process& process) {
  if (!registers_ && options_.registers) registers_ = options_.registers();
  if (!registers_ || !*registers_) return nullptr;
  const auto& processors = (*registers_)->processors;
  std::uint32_t cpu = 0;
  std::uint64_t offset = 0;
  if (!running_.offsets || !reader.load(process.task + running_.cpu, cpu) ||
      cpu >= processors.size() || !reader.load(*running_.offsets + cpu * 8ULL, offset))
    return nullptr;
  const auto in_kernel = [](const memory::X86GeneralRegisters& one) { return (one.cs & 3) == 0; };
  const auto found = std::ranges::find_if(
      processors, [&](const auto& one) { return in_kernel(one) && one.gs_base == offset; });
  if (found != processors.end()) return &*found;
  return in_kernel(processors[cpu]) ? nullptr : &processors[cpu];
}

void Stacks::collect_running(Reader& reader, std::size_t index, Outcome& outcome) {
  const Process& process = processes().processes()[index];
  // Registers of processors of other architectures are not asked for.
  const Unwinder* unwinder = std::get_if<Unwinder>(&unwinder_);
  const memory::X86GeneralRegisters* registers =
      unwinder == nullptr ? nullptr : registers_of(reader, process);
  if (registers == nullptr) {
    frames_.push_back({.process = index, .runs = true});
    return;
  }
  if (!(*registers_)->same_instant && outcome.warnings.size() < kMaxWarnings)
    outcome.warnings.push_back(
        fmt::format("task {} runs: the processor's registers are of a moment after its memory, so "
                    "its stack may not fit; --pause=vmm reads both at one instant",
                    process.pid));
  if ((registers->cs & 3) != 0) {
    frames_.push_back(
        {.process = index, .address = base::GuestVirtual(registers->rip), .user = true});
    return;
  }
  stack_.clear();
  const Unwinder::End end =
      unwinder->unwind_running(reader, modules_, process.task, *registers, stack_);
  add_frames(reader, index, end, true, outcome);
}

Row Stacks::row(std::size_t index) const {
  const Frame& frame = frames_[index];
  const Process& process = processes().processes()[frame.process];
  Row row;
  row.values = {
      std::int64_t{process.pid},
      std::int64_t{process.tgid},
      std::string(name_of(process)),
      std::string(1, process.state),
      std::uint64_t{frame.number},
      std::monostate{},
      std::monostate{},
      frame.address.value,
      std::monostate{},
  };
  if (frame.live || frame.user) row.values[kRuns] = std::string(frame.user ? "user" : "kernel");
  if (frame.user) return row;
  if (frame.runs) {
    row.values[kAddress] = std::monostate{};
    row.errors.push_back({kColumnDeclarations[kFunction].name, base::Code::absent,
                          registers_ && !*registers_
                              ? "the task runs, and its processor's registers could not be had: " +
                                    registers_->error().message
                              : "the task runs: what it does is in a processor's registers"});
  } else if (!frame.function) {
    row.errors.push_back({kColumnDeclarations[kFunction].name, base::Code::absent,
                          "no function is known at this address"});
  } else {
    row.values[kFunction] = text_of(*frame.function);
    if (!frame.function->module.empty()) row.values[kModule] = frame.function->module;
  }
  return row;
}

}  // namespace vitrine::views
