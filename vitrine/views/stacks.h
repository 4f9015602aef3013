// What tasks wait in, named after /proc/PID/stack: one row per function on a task's kernel stack,
// the innermost first.
//
// A task that runs on a processor has its stack's state in that processor's registers: it gets a
// row that says so. One that has exited has no stack any more, and no row.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list with threads, and some 50 loads a frame.
#pragma once

#include <string>
#include <vector>

#include "vitrine/views/module_list.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/unwinder.h"

namespace vitrine::views {

struct StackOptions {
  std::optional<std::int64_t> pid;  // of a task; nothing: all
  bool threads = false;             // of each process all threads, not the first alone
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
  Outcome collect(const AnyReader& reader) override;
  std::size_t size() const override { return frames_.size(); }
  Row row(std::size_t index) const override;

 private:
  struct Frame {
    std::size_t process = 0;  // its place in the process list
    std::uint32_t number = 0;
    base::GuestVirtual address = {};
    std::optional<Function> function = {};
    bool runs = false;  // on a processor: there is no more to be told
  };

  Stacks(std::unique_ptr<View> processes, ModuleList modules, const Unwinder& unwinder,
         std::uint32_t on_cpu, const StackOptions& options)
      : processes_(std::move(processes)),
        modules_(std::move(modules)),
        unwinder_(unwinder),
        on_cpu_(on_cpu),
        options_(options) {}

  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }
  bool wanted(const Process& process) const;

  template <class Reader>
  Outcome collect_with(Reader& reader, Outcome outcome);
  template <class Reader>
  void collect_task(Reader& reader, std::size_t index, Outcome& outcome);

  std::unique_ptr<View> processes_;
  ModuleList modules_;
  Unwinder unwinder_;
  std::uint32_t on_cpu_;  // offset of task_struct.on_cpu; 0: a kernel for one processor
  StackOptions options_;
  std::vector<Frame> frames_;
  std::vector<Unwinder::Frame> stack_;
};

}  // namespace vitrine::views
