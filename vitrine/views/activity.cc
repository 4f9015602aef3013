#include "vitrine/views/activity.h"

#include <algorithm>

#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using base::kPage;

constexpr double kLoadUnit = 1 << 11;  // FIXED_1, include/linux/sched/loadavg.h

// The place of a counter in an array of them.
std::optional<std::uint64_t> index_of(const kernel::Kernel& kernel, std::string_view name) {
  const auto value = kernel.types.enum_value("", name);
  if (!value || *value < 0 || *value > 256) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

template <class Value, class Reader>
std::optional<Value> load_at(Reader& reader, std::optional<GuestVirtual> at,
                             std::optional<std::uint64_t> index = 0) {
  Value value{};
  if (!at || !index || !reader.load(*at + *index * sizeof(Value), value)) return std::nullopt;
  return value;
}

// A counter of pages; it may be below zero for a moment, since processors keep parts of it.
std::optional<std::uint64_t> bytes_of(std::optional<std::int64_t> pages) {
  if (!pages || *pages > std::int64_t{1} << 48) return std::nullopt;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(*pages, 0)) * kPage;
}

}  // namespace

base::Result<std::unique_ptr<View>> Activity::attach(const kernel::Kernel& kernel,
                                                     memory::PhysicalMemory& memory, bool threads) {
  auto processes = Processes::attach(kernel, memory, {.threads = threads, .command_lines = true});
  if (!processes) return processes;
  std::unique_ptr<Activity> activity(new Activity(std::move(*processes), threads));
  if (auto resolved = activity->resolve(kernel); !resolved) return base::fail(resolved.error());
  return activity;
}

base::Result<void> Activity::resolve(const kernel::Kernel& kernel) {
  Resolver at(kernel.types);
  run_time_ = at("task_struct", "se.sum_exec_runtime");
  signal_ = at("task_struct", "signal");
  thread_node_ = at("task_struct", "thread_node");
  ended_ = at("signal_struct", "sum_sched_runtime");
  thread_head_ = at("signal_struct", "thread_head");
  if (at.error()) return base::fail(*at.error());
  constexpr std::array<std::string_view, 5> kNames{
      "avenrun", "__num_online_cpus", "_totalram_pages", "vm_zone_stat", "vm_node_stat"};
  const auto symbols = kernel.symbols.find(kNames);
  symbols_ = {symbols[0], symbols[1], symbols[2], symbols[3], symbols[4]};
  free_index_ = index_of(kernel, "NR_FREE_PAGES");
  file_index_ = index_of(kernel, "NR_FILE_PAGES");
  return {};
}

Outcome Activity::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  steps_.renew();
  run_times_.clear();
  for (const Process& process : processes().processes())
    run_times_.push_back(run_time(reader, process));
  read_system(reader);
  return outcome;
}

// As thread_group_cputime() in kernel/sched/cputime.c adds it up.
std::optional<std::uint64_t> Activity::run_time(Reader& reader, const Process& process) {
  std::uint64_t sum = 0;
  if (threads_)
    return reader.load(process.task + run_time_, sum) ? std::optional(sum) : std::nullopt;
  GuestVirtual signal;
  GuestVirtual at;
  if (!reader.load(process.task + signal_, signal.value) || !reader.load(signal + ended_, sum))
    return std::nullopt;
  const GuestVirtual head = signal + thread_head_;
  CycleGuard guard;
  bool readable = reader.load(head, at.value);
  while (readable && at != head) {
    std::uint64_t own = 0;
    if (guard.closes(at) || !steps_.spend(1)) return std::nullopt;
    readable = reader.load(at - thread_node_ + run_time_, own) && reader.load(at, at.value);
    sum += own;
  }
  return readable ? std::optional(sum) : std::nullopt;
}

void Activity::read_system(Reader& reader) {
  system_ = {};
  std::array<double, 3> loads{};
  bool loaded = true;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const auto value = load_at<std::uint64_t>(reader, symbols_.load, i);
    loaded = loaded && value;
    loads.at(i) = static_cast<double>(value.value_or(0)) / kLoadUnit;
  }
  if (loaded) system_.load = loads;
  system_.processors = load_at<std::uint32_t>(reader, symbols_.processors);
  system_.total_bytes = bytes_of(load_at<std::int64_t>(reader, symbols_.pages));
  system_.free_bytes =
      bytes_of(load_at<std::int64_t>(reader, symbols_.zone_statistics, free_index_));
  system_.cached_bytes =
      bytes_of(load_at<std::int64_t>(reader, symbols_.node_statistics, file_index_));
}

}  // namespace vitrine::views
