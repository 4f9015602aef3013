// Processes of a synthetic guest: tasks and what they point to, linked as the kernel links them,
// and the ways in which a test may damage or change them.
//
// An unknown pid throws std::out_of_range.
//
// Thread contract: one thread at a time.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

// Flags and states (include/linux/sched.h).
constexpr std::uint32_t task_running = 0;
constexpr std::uint32_t task_interruptible = 1;
constexpr std::uint32_t task_uninterruptible = 2;
constexpr std::uint32_t task_idle = 0x402;
constexpr std::uint32_t exit_dead = 0x10;
constexpr std::uint32_t exit_zombie = 0x20;
constexpr std::uint32_t flag_exiting = 0x4;
constexpr std::uint32_t flag_kernel_thread = 0x200000;

enum class Residence : std::uint8_t { present, swapped_out, protection_none, not_mapped, hole };

struct Thread {
  int pid = 0;
  std::string comm = {};
  std::uint32_t state = task_interruptible;
};

struct Process {
  int pid = 0;
  int parent = 0;
  std::string comm = {};  // up to 16 bytes; 16 leave it without the final zero
  std::uint32_t state = task_interruptible;
  std::uint32_t exit_state = 0;
  std::uint32_t flags = 0;
  bool kernel_thread = false;       // adds the flag, has no mm
  std::optional<bool> has_mm = {};  // default: neither kernel thread nor exited
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t start_boottime = 0;            // ns
  std::vector<Thread> threads = {};            // besides the leader
  std::array<std::int64_t, 4> rss_pages = {};  // by RssCounter, all CPUs' parts included
  std::vector<std::int32_t> rss_pending = {};  // per-CPU parts (percpu_counters only), by CPU
  std::vector<std::string> arguments = {};
  Residence arguments_are = Residence::present;
  GuestVirtual arguments_at = GuestVirtual(0x7ffd12345f80);  // default: crosses a page border soon
};

// Where the parts of a process are.
struct ProcessObjects {
  GuestVirtual task;
  GuestVirtual signal;
  GuestVirtual cred;
  std::optional<GuestVirtual> mm;
  std::map<int, GuestVirtual> threads;  // by pid, without the leader
  std::shared_ptr<PageTables> tables;   // where there is an mm
};

class Processes {
 public:
  // Makes the kernel's own idle task, pid 0, at init_task.
  explicit Processes(Kernel& kernel);

  // Links a process at the end of the task list.
  const ProcessObjects& add(const Process& process);
  const ProcessObjects& of(int pid) const { return processes_.at(pid); }
  GuestVirtual task(int pid) const;  // a thread's too

  // Maps user memory of a process, in whole pages around [at, at + bytes), and fills it.
  void map_user(int pid, GuestVirtual at, std::string_view bytes,
                Residence residence = Residence::present);

  // As the kernel lets a task go: the neighbours are joined, its own next stays, prev is poisoned.
  void unlink(int pid);
  // Unlinks a process and gives its memory, task, signal and credentials, to a new one.
  const ProcessObjects& reuse(int pid, const Process& with);

  // Damage: the list pointer after a task. `next` is the address of a list_head.
  void set_next(int pid, GuestVirtual next);
  GuestVirtual list_node(int pid) const;  // address of task.tasks, what a next pointer holds
  // Any member of any struct, of a task by pid.
  void set_member(int pid, std::string_view member, std::uint64_t value) {
    kernel_.set(task(pid), "task_struct", member, value);
  }
  void set_comm(int pid, std::string_view bytes);

 private:
  const ProcessObjects& build(const Process& process, ProcessObjects objects);
  void fill_task(GuestVirtual task, const Process& process, int pid, const ProcessObjects& objects);
  void fill_signal(const Process& process, const ProcessObjects& objects);
  void fill_cred(GuestVirtual cred, std::uint32_t uid, std::uint32_t gid);
  void add_mm(const Process& process, ProcessObjects& objects);
  void fill_rss(const Process& process, GuestVirtual mm);
  void map_arguments(const Process& process, GuestVirtual mm);
  void write_comm(GuestVirtual task, std::string_view bytes);
  // The kernel's list_head operations, on addresses of list_heads.
  void make_list(GuestVirtual head);
  void append(GuestVirtual head, GuestVirtual node);
  GuestVirtual task_member(GuestVirtual task, std::string_view name) const {
    return kernel_.member(task, "task_struct", name);
  }

  Kernel& kernel_;
  std::map<int, ProcessObjects> processes_;
  // User pages by root and page address.
  std::map<std::pair<GuestPhysical, std::uint64_t>, GuestPhysical> user_frames_;
};

}  // namespace vitrine::synthetic
