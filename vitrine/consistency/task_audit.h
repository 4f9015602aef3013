// Looks through the guest's tasks for what does not fit together, and tells kinds of it apart.
//
// Intrinsic kinds are states that the guest itself goes through: a guest that stands still shows
// them, too. Extrinsic kinds are relations that hold whenever nobody is inside the critical
// sections of tasklist_lock: where they are broken, either what was read is of several instants, or
// the guest was stopped half-way through a change. docs/consistency.md defines each with the
// members that decide it.
//
// It is a view, so that it can be collected in every way in which views can; its rows are the
// counts.
//
// Thread contract: one thread at a time. Cost: about 25 loads per task.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/view.h"

namespace vitrine::consistency {

enum class Kind : std::uint8_t {
  // Intrinsic:
  zombie,           // exit_state: EXIT_ZOMBIE
  dead,             // exit_state: EXIT_DEAD
  dying,            // flags: PF_EXITING, and exit_state is 0
  as_good_as_dead,  // the same, and mm is gone already
  fresh,            // __state: TASK_NEW, linked but not yet started
  // Extrinsic:
  walk_astray,   // tasks.next cannot be followed back to init_task
  neighbours,    // tasks.prev does not lead back to the task before
  unlinked,      // tasks.prev is LIST_POISON2: it left while the walk stood on it
  freed,         // usage is 0
  reused,        // pid or start_boottime is another at the end of the collection
  thread_count,  // signal.nr_threads is not how many are linked at signal.thread_head
  wrong_group,   // a linked thread has another tgid or signal than its leader
  pid_astray,    // thread_pid does not hold its pid, or does not lead back to it
};
inline constexpr std::size_t kKinds = 13;

struct KindInfo {
  std::string_view name;  // as in JSON
  bool intrinsic;
  std::string_view description;
};

const KindInfo& info(Kind kind);

class TaskAudit final : public views::View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<TaskAudit>> attach(const kernel::Kernel& kernel);

  std::string_view name() const override { return "tasks"; }
  std::span<const views::Column> columns() const override;
  std::span<const views::GlobalGuard> global_guards() const override;
  views::Outcome collect(views::Reader& reader) override;
  std::size_t size() const override { return kKinds; }
  views::Row row(std::size_t index) const override;

  // How often each kind was met in the last collection.
  const std::array<std::uint32_t, kKinds>& counts() const { return counts_; }
  std::uint32_t count(Kind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  std::uint32_t tasks() const { return tasks_; }  // threads included

 private:
  // Offsets in bytes within the structure that holds each.
  struct Fields {
    base::GuestVirtual init_task;
    std::uint32_t task_high = 0;  // task_struct up to the last member that is read
    std::uint32_t state = 0, flags = 0, tasks = 0, mm = 0, exit_state = 0, pid = 0, tgid = 0,
                  thread_node = 0, start = 0, signal = 0, usage = 0, thread_pid = 0, pid_link = 0;
    std::uint32_t nr_threads = 0, thread_head = 0;
    std::uint32_t pid_number = 0, pid_tasks = 0;  // struct pid
  };
  // By which a task is known again.
  struct Identity {
    std::int32_t pid = 0;
    std::uint64_t start = 0;
  };
  struct Task {
    base::GuestVirtual at = {};
    base::GuestVirtual signal = {};
    std::int32_t tgid = 0;
    Identity identity = {};
  };

  explicit TaskAudit(const Fields& fields) : fields_(fields) {}

  void add(Kind kind) { ++counts_[static_cast<std::size_t>(kind)]; }
  bool walk(views::Reader& reader);
  bool read_task(views::Reader& reader, Task& task);
  void judge_life(views::Reader& reader, base::GuestVirtual task, bool& readable);
  void judge_pid(views::Reader& reader, const Task& task);
  void judge_threads(views::Reader& reader, const Task& leader);
  void look_again(views::Reader& reader);

  Fields fields_;
  std::array<std::uint32_t, kKinds> counts_{};
  std::uint32_t tasks_ = 0;
  std::vector<Task> seen_;
};

}  // namespace vitrine::consistency
