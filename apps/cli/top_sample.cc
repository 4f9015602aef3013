#include "apps/cli/top_sample.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/column_index.h"
#include "apps/cli/process_list.h"

namespace vitrine::cli {
namespace {

using views::Type;
using views::Value;

enum ColumnIndex : unsigned {
  kPid,
  kTgid,
  kPpid,
  kUid,
  kState,
  kThreads,
  kShare,
  kRss,
  kTime,
  kComm,
  kCommandLine,
  kKernelThread,
  kExiting,
  kColumns
};

constexpr std::array<views::Column, kColumns> kColumnDeclarations{{
    {"pid", Type::integer, ""},
    {"tgid", Type::integer, ""},
    {"ppid", Type::integer, ""},
    {"uid", Type::integer, ""},
    {"state", Type::text, "", false, "S"},
    {"threads", Type::integer, "", false, "THR"},
    {"share", Type::text, "", false, " %CPU"},
    {"rss_bytes", Type::bytes, ""},
    {"run_ns", Type::nanoseconds, "", false, "TIME"},
    {"comm", Type::text, ""},
    {"cmdline", Type::text, ""},
    {"kernel_thread", Type::boolean, ""},
    {"exiting", Type::boolean, ""},
}};

// The row of the processes view, with what is known of its processor time.
views::Row row_of(std::span<const views::Column> columns, views::Row from, double share,
                  std::optional<std::uint64_t> run_ns) {
  views::Row row;
  row.values.resize(kColumns);
  for (std::size_t i = 0; i < kColumns; ++i)
    if (i != kShare && i != kTime)
      row.values[i] = from.values[index_of(columns, kColumnDeclarations.at(i).name)];
  row.errors = std::move(from.errors);
  if (run_ns) {
    row.values[kShare] = fmt::format("{:5.1f}", share);
    row.values[kTime] = *run_ns;
  }
  return row;
}

}  // namespace

std::span<const views::Column> top_columns() { return kColumnDeclarations; }

void ProcessorShares::update(const views::Activity& activity, std::uint64_t now_ns,
                             TopSample& sample) {
  const auto processes = activity.processes().processes();
  const auto columns = activity.columns();
  const auto elapsed = static_cast<double>(now_ns - std::exchange(before_ns_, now_ns));
  std::map<Task, std::uint64_t> now;
  std::vector<views::Row> rows;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const views::Process& process = processes[i];
    const auto run_ns = activity.run_times()[i];
    TopProcess shown{.row = {}, .rss_bytes = process.rss_bytes, .pid = process.pid};
    shown.run_ns = run_ns.value_or(0);
    const Task task{process.pid, process.start_ns};
    const auto before = before_.find(task);
    if (run_ns && before != before_.end() && *run_ns > before->second && elapsed > 0)
      shown.share = 100 * static_cast<double>(*run_ns - before->second) / elapsed;
    if (run_ns) now.emplace(task, *run_ns);
    sample.share += shown.share;
    ++sample.states[process.state];
    rows.assign(1, row_of(columns, activity.row(i), shown.share, run_ns));
    mark_names(kColumnDeclarations, rows);
    shown.row = std::move(rows.front());
    sample.processes.push_back(std::move(shown));
  }
  sample.system = activity.system();
  before_ = std::move(now);
}

}  // namespace vitrine::cli
