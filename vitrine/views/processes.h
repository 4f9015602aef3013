// The guest's processes, named after ps: one row per process, or per thread.
//
// Walked from init_task along task_struct.tasks and signal_struct.thread_head. The task list is
// guarded by tasklist_lock for writers and read here without it, as RCU readers do; a walk that is
// torn by a guest that moves on is reported, never followed without bound.
//
// Thread contract: one thread at a time per object.
// Cost: about 20 loads per task; no memory is allocated once the tables have grown. Columns on
// demand (process_details.h) cost more.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/user_strings.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

struct ProcessOptions {
  bool threads = false;                         // one row per thread instead of per process
  bool command_lines = true;                    // read each process's arguments from its own memory
  std::size_t command_line_bytes = 256u << 20;  // of all processes together; the rest is left out
};

enum class CommandLine : std::uint8_t {
  none,         // the task has no memory of its own
  read,         // as far as it goes: it may be empty
  unreadable,   // see the fault
  implausible,  // the bounds of the arguments are none that a process can have
  left_out,     // all lines together are too long
};

// One task as read. `unreadable` has a bit per column that could not be read.
struct Process {
  base::GuestVirtual task;
  base::GuestVirtual mm;  // 0 where there is none: kernel threads, and tasks that gave it up
  std::uint64_t start_ns = 0;
  std::uint64_t rss_bytes = 0;
  std::int32_t pid = 0;
  std::int32_t tgid = 0;
  std::int32_t ppid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t threads = 0;
  std::uint32_t unreadable = 0;
  paging::Fault fault = paging::Fault::none;
  paging::Fault command_line_fault = paging::Fault::none;
  bool kernel_thread = false;
  bool exiting = false;
  CommandLine command_line = CommandLine::none;
  char state = '?';
  std::array<char, 16> comm{};
};

// Its name, valid as long as it.
std::string_view name_of(const Process& process);

class ProcessDetails;

class Processes final : public View {
 public:
  ~Processes() override;

  // Resolves every field in the guest's own types. Error: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const ProcessOptions& options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "processes"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  void want(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
            std::span<const std::string_view> columns) override;
  std::span<const GlobalGuard> global_guards() const override;
  void add_object_guards(std::vector<ObjectGuard>& guards) const override;
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override;

  std::span<const Process> processes() const { return rows_; }

 private:
  enum ColumnIndex : unsigned {
    kPid,
    kTgid,
    kPpid,
    kComm,
    kState,
    kUid,
    kGid,
    kThreads,
    kStart,
    kRss,
    kKernelThread,
    kExiting,
    kCommandLine,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // Offsets in bytes within the structure that holds each.
  struct Fields {
    base::GuestVirtual init_task;
    std::uint32_t task_low = 0, task_high = 0;  // the part of task_struct that is read
    std::uint32_t state = 0, flags = 0, tasks = 0, mm = 0, exit_state = 0, pid = 0, tgid = 0,
                  real_parent = 0, thread_node = 0, start_boottime = 0, real_cred = 0, comm = 0,
                  signal = 0;
    std::uint32_t nr_threads = 0, thread_head = 0;
    std::uint32_t uid = 0, gid = 0, cred_high = 0;
    std::uint32_t task_lock = 0, map_lock = 0, argument_lock = 0;
    std::array<std::uint32_t, 3> rss{};          // file, anonymous and shared-memory pages
    std::array<std::uint32_t, 3> rss_per_cpu{};  // the same, pointer to the per-CPU parts
    std::uint32_t mm_high = 0;
    bool rss_sums_cpus = false;  // this kernel's statm adds the per-CPU parts
    std::uint64_t page_bytes = 4096;
  };

  Processes(Fields fields, const UserStrings& strings, std::vector<std::uint64_t> cpu_offsets,
            const ProcessOptions& options);

  static base::Result<Fields> resolve(const kernel::Kernel& kernel, base::GuestVirtual init_task);

  Outcome collect_tasks(Reader& reader);
  // Compiled for a reader that records and for one that does not: see Reader::Burst.
  template <bool Recorded>
  Outcome walk_list(Reader& reader);
  template <bool Recorded>
  void walk_threads(Reader& reader, Outcome& outcome);
  template <bool Recorded>
  bool read_task(Reader& reader, base::GuestVirtual at, std::uint32_t link,
                 base::GuestVirtual& next);
  template <class Burst>
  void fill_row(const Reader& reader, Burst& burst, const typename Burst::Object& task,
                Process& row);
  template <class Burst>
  void read_memory_use(const Reader& reader, Burst& burst, Process& row);
  void read_command_lines(Reader& reader, Outcome& outcome);
  void read_command_line(Reader& reader, std::size_t index);

  Fields fields_;
  UserStrings strings_;
  UserText text_;  // of one process
  std::vector<std::uint64_t> cpu_offsets_;
  ProcessOptions options_;
  std::vector<Process> rows_;
  std::vector<std::string> command_lines_;   // per row, if asked for
  std::unique_ptr<ProcessDetails> details_;  // where any is wanted
};

}  // namespace vitrine::views
