// What the guest is busy with: its processes with the processor time that each has had, its load
// and its memory. What `top` shows; two collections tell who used how much between them.
//
// Processor time is what the scheduler has accounted for (sum_exec_runtime): of a process, that of
// its threads and of those that ended; of a running thread up to the last tick. Read without the
// locks that guard it.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list, and 2 loads a thread.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "vitrine/kernel/symbol_lookup.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

// Of the guest as a whole; absent where the kernel does not tell, or it could not be read.
struct SystemLoad {
  std::optional<std::array<double, 3>> load;  // of the last 1, 5 and 15 minutes
  std::optional<std::uint32_t> processors;    // that are online
  std::optional<std::uint64_t> total_bytes;   // memory
  std::optional<std::uint64_t> free_bytes;
  std::optional<std::uint64_t> cached_bytes;  // of files, tmpfs included
};

class Activity final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory, bool threads);

  std::string_view name() const override { return "activity"; }
  std::span<const Column> columns() const override { return processes_->columns(); }
  Outcome collect(Reader& reader) override;
  // Rows are those of the processes view.
  std::size_t size() const override { return processes_->size(); }
  Row row(std::size_t index) const override { return processes_->row(index); }

  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }
  // Nanoseconds of processor time, for each of processes(); nothing where it could not be read.
  const std::vector<std::optional<std::uint64_t>>& run_times() const { return run_times_; }
  const SystemLoad& system() const { return system_; }

 private:
  struct Symbols {
    std::optional<base::GuestVirtual> load, processors, pages, zone_statistics, node_statistics;
  };

  Activity(std::unique_ptr<View> processes, bool threads)
      : processes_(std::move(processes)), threads_(threads) {}

  base::Result<void> resolve(const kernel::Kernel& kernel);

  std::optional<std::uint64_t> run_time(Reader& reader, const Process& process);
  void read_system(Reader& reader);

  std::unique_ptr<View> processes_;
  bool threads_;
  std::uint32_t run_time_ = 0, signal_ = 0, thread_node_ = 0;  // of task_struct
  std::uint32_t ended_ = 0, thread_head_ = 0;                  // of signal_struct
  Symbols symbols_;
  std::optional<std::uint64_t> free_index_, file_index_;
  Budget steps_{8U << 20};  // threads, of a collection
  std::vector<std::optional<std::uint64_t>> run_times_;
  SystemLoad system_;
};

}  // namespace vitrine::views
