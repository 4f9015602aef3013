// Who waits for what, and who blocks whom: one row per task that waits where that is more than a
// pause of its own, and per task that such a one waits for.
//
// What a task waits for is told by the functions on its kernel stack (wait_kind.h), the lock by
// what is on that stack (lock_waiters.h), its owner by the lock. From there each chain is followed
// to the root blocker, or to where it closes: a deadlock (wait_graph.h).
//
// By default these tasks are rows: what waits uninterruptibly or for a lock, what waits for such a
// one, and whoever is at the end. The others sleep because they have nothing to do.
//
// Thread contract: one thread at a time per object.
// Cost: that of the view `stacks` for every thread that does not run.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "vitrine/views/file_lock_waits.h"
#include "vitrine/views/futex_waits.h"
#include "vitrine/views/lock_waiters.h"
#include "vitrine/views/module_list.h"
#include "vitrine/views/pipe_ends.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/task_clock.h"
#include "vitrine/views/task_index.h"
#include "vitrine/views/unwinder.h"
#include "vitrine/views/wait_graph.h"

namespace vitrine::views {

struct WaitOptions {
  std::optional<std::int64_t> pid;  // a task and all that its chain leads to; nothing: all
  bool all = false;                 // every task that sleeps
};

class Waits final : public View {
 public:
  // Errors: as Processes, ModuleList and Unwinder.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const WaitOptions& options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "waits"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override;

  // What an operator wants to know first, a line for each root blocker and deadlock, those that
  // most tasks wait for first. Hostile text of the guest.
  std::vector<std::string> summary() const;

 private:
  enum ColumnIndex : unsigned {
    kPid,
    kTgid,
    kComm,
    kState,
    kSince,
    kWaited,
    kWaitsFor,
    kFunction,
    kLock,
    kLockName,
    kOwner,
    kOwnerComm,
    kOwnerKnownBy,
    kRoot,
    kRootComm,
    kDepth,
    kWaiters,
    kDeadlock,
    kMembers,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // A task that was looked at; its number is that of its process.
  struct Task {
    WaitKind kind = WaitKind::none;
    bool runs = false;
    bool unreadable = false;  // its stack breaks off before what it waits in
    std::string function = {};
    base::GuestVirtual lock = {};
    std::string lock_name = {};
    std::size_t owner = WaitGraph::kNobody;
    OwnerSource source = OwnerSource::nobody;
    bool owner_is_none = false;  // the lock names what is no task
    std::optional<TaskClock::Wait> wait = {};
  };
  struct Place {
    Told told;
    std::string text;
  };

  struct Fields {
    std::uint32_t stack = 0;       // of task_struct
    std::uint32_t on_cpu = 0;      // 0: a kernel for one processor
    std::uint32_t mmap_lock = 0;   // of mm_struct
    std::uint32_t child_wait = 0;  // of wait_opts
    std::uint32_t wanted_kind = 0, wanted_child = 0;
    std::uint32_t pid = 0;  // of task_struct: its struct pid
  };

  // What finds the causes of each kind.
  struct Finders {
    LockWaiters locks;
    FutexWaits futexes;
    PipeEnds pipes;
    FileLockWaits file_locks;
  };

  Waits(std::unique_ptr<View> processes, ModuleList modules, const Unwinder& unwinder,
        Finders finders, TaskClock clock, const Fields& fields, const WaitOptions& options)
      : processes_(std::move(processes)),
        modules_(std::move(modules)),
        unwinder_(unwinder),
        find_(std::move(finders)),
        clock_(std::move(clock)),
        fields_(fields),
        options_(options) {}

  std::span<const Process> processes() const {
    return static_cast<const Processes&>(*processes_).processes();
  }

  Outcome collect_rows(Reader& reader, Outcome outcome);
  void index_tasks(Reader& reader);
  void examine(Reader& reader, std::size_t number);
  const Place& place(Reader& reader, const Unwinder::Frame& frame);
  // The frame in which the task waits, told by its functions; names what it wanted.
  std::optional<std::size_t> tell(Reader& reader, Task& task);
  // Completes what is known of a task that waits in this frame.
  void find_cause(Reader& reader, std::size_t number, std::size_t frame);
  void find_lock(Reader& reader, std::size_t number, const StackPart& stack);
  void find_child(Reader& reader, std::size_t number, const StackPart& stack);
  void find_futex(Reader& reader, std::size_t number, const StackPart& stack);
  void find_file_lock(Reader& reader, std::size_t number, const StackPart& stack);
  void find_pipe(Reader& reader, std::size_t number, const StackPart& stack);
  std::string lock_name(Reader& reader, WaitKind kind, base::GuestVirtual lock);
  StackPart load_stack(Reader& reader, std::size_t frame);

  void choose_rows();
  std::string told(std::size_t number) const;
  std::string deadlock_line(std::size_t root) const;
  std::string root_line(std::size_t root) const;

  std::unique_ptr<View> processes_;
  ModuleList modules_;
  Unwinder unwinder_;
  Finders find_;
  TaskClock clock_;
  Fields fields_;
  WaitOptions options_;

  static constexpr std::uint64_t kMostSteps = 16U << 20;  // of a collection
  static constexpr std::uint64_t kMostFrames = 4U << 20;  // of all tasks

  TaskIndex index_;
  std::vector<std::pair<std::int32_t, std::size_t>> children_;        // by parent
  std::vector<std::pair<base::GuestVirtual, std::size_t>> memories_;  // by mm_struct
  std::vector<std::pair<std::int32_t, std::size_t>> leaders_;         // by process id
  Budget steps_{kMostSteps};
  Budget frames_{kMostFrames};
  std::vector<Task> tasks_;                     // by number of the process
  std::map<base::GuestVirtual, Place> places_;  // by address, of this collection
  std::vector<Unwinder::Frame> stack_;
  WaitGraph graph_;
  std::vector<std::size_t> rows_;  // numbers of processes
};

}  // namespace vitrine::views
