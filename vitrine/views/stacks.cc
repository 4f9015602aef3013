#include "vitrine/views/stacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {
namespace {

constexpr std::size_t kMaxWarnings = 10;
constexpr std::size_t kMaxFrames = 1U << 20;  // of all tasks

enum ColumnIndex : unsigned {
  kPid,
  kTgid,
  kComm,
  kState,
  kFrame,
  kFunction,
  kModule,
  kAddress,
  kColumns
};

constexpr std::array<Column, kColumns> kColumnDeclarations{{
    {"pid", Type::integer, "id of the task itself"},
    {"tgid", Type::integer, "id of its process"},
    {"comm", Type::text, "name of the task, at most 15 bytes"},
    {"state", Type::text, "what it does, one letter as in ps"},
    {"frame", Type::integer, "place on the stack: 0 is the innermost function"},
    {"function", Type::text, "the function, how far in it is, and how long it is: name+0x10/0x40"},
    {"module", Type::text, "the module that has the function; null for the kernel itself"},
    {"address", Type::address, "where the function goes on; null for a task that runs"},
}};

// Of stacks themselves nobody holds a lock.
constexpr std::array<GlobalGuard, 3> kGuards{{
    {LockKind::rwlock, "tasklist_lock"},
    {LockKind::spinlock, "pidmap_lock", true},
    {LockKind::mutex, "module_mutex"},
}};

std::string text_of(const Function& function) {
  return fmt::format("{}+{:#x}/{:#x}", function.name, function.offset, function.size);
}

}  // namespace

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
  const auto unwinder = Unwinder::attach(kernel, memory);
  if (!unwinder) return base::fail(unwinder.error());
  Resolver at(kernel.types);
  const bool several = kernel.types.has_member("task_struct", "on_cpu");  // CONFIG_SMP
  const std::uint32_t on_cpu = several ? at("task_struct", "on_cpu") : 0;
  return std::unique_ptr<View>(
      new Stacks(std::move(*processes), std::move(*modules), *unwinder, on_cpu, options));
}

bool Stacks::wanted(const Process& process) const {
  return !options_.pid || process.pid == *options_.pid ||
         (options_.threads && process.tgid == *options_.pid);
}

std::span<const GlobalGuard> Stacks::global_guards() const { return kGuards; }

Outcome Stacks::collect(const AnyReader& reader) {
  Outcome outcome = processes_->collect(reader);
  return std::visit(
      [this, &outcome](auto* chosen) { return collect_with(*chosen, std::move(outcome)); }, reader);
}

template <class Reader>
Outcome Stacks::collect_with(Reader& reader, Outcome outcome) {
  frames_.clear();
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

template <class Reader>
void Stacks::collect_task(Reader& reader, std::size_t index, Outcome& outcome) {
  const Process& process = processes().processes()[index];
  if (process.state == 'Z' || process.state == 'X') return;
  std::uint8_t on_cpu = 0;  // an int until 7.0: its lowest byte
  if (on_cpu_ != 0 && !reader.load(process.task + on_cpu_, on_cpu)) on_cpu = 0;
  if (on_cpu != 0) {
    frames_.push_back({.process = index, .runs = true});
    return;
  }
  stack_.clear();
  const Unwinder::End end = unwinder_.unwind(reader, modules_, process.task, stack_);
  for (std::uint32_t number = 0; number < stack_.size(); ++number) {
    const auto [address, exact] = stack_[number];
    // A call may be the last instruction of its function: what it returns to is the next one's.
    auto function = modules_.function(reader, exact ? address : address - 1);
    if (function && !exact) ++function->offset;
    frames_.push_back({index, number, address, std::move(function)});
  }
  if (end == Unwinder::End::whole) return;
  outcome.complete = false;
  if (outcome.warnings.size() >= kMaxWarnings) return;
  const bool unreadable = end == Unwinder::End::unreadable;
  outcome.warnings.push_back(fmt::format(
      "the stack of task {} breaks off after {} functions{}", process.pid, stack_.size(),
      unreadable ? ": " + std::string(paging::name(reader.fault())) : std::string()));
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
  };
  if (frame.runs) {
    row.values[kAddress] = std::monostate{};
    row.errors.push_back({kColumnDeclarations[kFunction].name, base::Code::absent,
                          "the task runs: what it does is in a processor's registers"});
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
