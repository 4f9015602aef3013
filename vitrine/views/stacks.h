// What tasks wait in, named after /proc/PID/stack: one row per function on a task's kernel stack,
// the innermost first.
//
// A task that runs on a processor has its stack's state in that processor's registers: where they
// can be had, it is unwound from them, or its row says where in user mode it is. One that has
// exited has no stack any more, and no row.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list with threads, and some 50 loads a frame.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "vitrine/views/frame_pointers.h"
#include "vitrine/views/module_list.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/unwinder.h"

namespace vitrine::views {

// The processors' registers, in the order of their numbers.
struct RunningRegisters {
  std::vector<memory::X86GeneralRegisters> processors;
  bool same_instant = false;  // as the memory that is looked at
};

struct StackOptions {
  std::optional<std::int64_t> pid;  // of a task; nothing: all
  bool threads = false;             // of each process all threads, not the first alone
  // Asked at most once in a collection, if a task runs. Nothing: registers can't be had.
  std::function<base::Result<RunningRegisters>()> registers = {};
};

class Stacks final : public View {
 public:
  // Errors: as Processes, ModuleList and Unwinder.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const StackOptions& options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "stacks"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  std::span<const GlobalGuard> global_guards() const override;
  void add_object_guards(std::vector<ObjectGuard>& guards) const override {
    processes_->add_object_guards(guards);
  }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return frames_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned {
    kPid,
    kTgid,
    kComm,
    kState,
    kFrame,
    kFunction,
    kModule,
    kAddress,
    kRuns,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  struct Frame {
    std::size_t process = 0;  // its place in the process list
    std::uint32_t number = 0;
    base::GuestVirtual address = {};
    std::optional<Function> function = {};
    bool runs = false;  // on a processor, what of it is not known
    bool user = false;  // in user mode, at `address`
    bool live = false;  // by registers
  };

  // How it is known where a task runs.
  struct Running {
    std::uint32_t on_cpu = 0;  // offset of task_struct.on_cpu; 0: a kernel for one processor
    std::uint32_t cpu = 0;     // of its number
    std::optional<base::GuestVirtual> offsets;  // __per_cpu_offset
  };

  // By what the kernel's architecture has.
  using AnyUnwinder = std::variant<Unwinder, FramePointers>;

  Stacks(std::unique_ptr<View> processes, ModuleList modules, const AnyUnwinder& unwinder,
         const Running& running, StackOptions options)
      : processes_(std::move(processes)),
        modules_(std::move(modules)),
        unwinder_(unwinder),
        running_(running),
        options_(std::move(options)) {}

  static base::Result<AnyUnwinder> attach_unwinder(const kernel::Kernel& kernel,
                                                   memory::PhysicalMemory& memory);
  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }
  bool wanted(const Process& process) const;

  Outcome collect_rows(Reader& reader, Outcome outcome);
  void collect_task(Reader& reader, std::size_t index, Outcome& outcome);
  void collect_running(Reader& reader, std::size_t index, Outcome& outcome);
  void add_frames(Reader& reader, std::size_t index, Unwinder::End end, bool live,
                  Outcome& outcome);
  // The registers of the processor on which a task runs; null where they can't be told.
  const memory::X86GeneralRegisters* registers_of(Reader& reader, const Process& process);

  std::unique_ptr<View> processes_;
  ModuleList modules_;
  AnyUnwinder unwinder_;
  Running running_;
  StackOptions options_;
  std::optional<base::Result<RunningRegisters>> registers_;  // of this collection
  std::vector<Frame> frames_;
  std::vector<Unwinder::Frame> stack_;
};

}  // namespace vitrine::views
