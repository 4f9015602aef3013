#include <fmt/format.h>
#include <unistd.h>

#include <iterator>

#include "apps/cli/core_report.h"
#include "apps/cli/format.h"
#include "apps/cli/manifest.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/process_state.h"

namespace vitrine::cli {
namespace {

struct MemoryArguments {
  Target target;
  std::string pid;
  std::string output;
  bool force = false;
};

// What the core says of the process, from what the guest does.
images::CoreDescription describe(const views::ProcessState& state, const paging::Format& format) {
  images::CoreDescription core;
  core.format = &format;
  core.tables = state.tables;
  core.swap_areas = state.swap_areas;
  for (const views::Region& region : state.regions)
    core.regions.push_back({.start = region.start,
                            .end = region.end,
                            .readable = (region.flags & views::kRegionRead) != 0,
                            .writable = (region.flags & views::kRegionWrite) != 0,
                            .executable = (region.flags & views::kRegionExecute) != 0,
                            .of_file = region.file.value != 0});
  for (const views::RegionFile& file : state.files) {
    const views::Region& region = state.regions[file.region];
    core.files.push_back({region.start, region.end, region.file_page, file.path});
  }
  for (const views::ThreadState& thread : state.threads)
    core.threads.push_back({thread.id, thread.registers});
  core.auxiliary_vector = state.auxiliary_vector;
  core.name = views::name_of(state.process);
  core.arguments = state.arguments;
  core.pid = state.process.pid;
  core.parent = state.process.ppid;
  core.uid = state.process.uid;
  core.gid = state.process.gid;
  core.state = state.process.state;
  return core;
}

// What a reader of the core has to know.
void add_warnings(const views::ProcessState& state, const images::CoreReport& report,
                  std::vector<std::string>& warnings) {
  constexpr std::size_t kMost = 10;
  std::ranges::copy(state.warnings, std::back_inserter(warnings));
  std::size_t unknown = 0;
  for (const views::ThreadState& thread : state.threads)
    if (!thread.unknown.empty() && ++unknown <= kMost)
      warnings.push_back(fmt::format("thread {}: {}", thread.id, thread.unknown));
  if (unknown > kMost)
    warnings.push_back(fmt::format("so it is with {} more threads", unknown - kMost));
  if (report.swapped_bytes != 0)
    warnings.push_back(fmt::format("{} are missing: the guest has swapped them out",
                                   size_text(report.swapped_bytes)));
  if (report.unreadable_bytes != 0)
    warnings.push_back(
        fmt::format("{} are missing: they could not be read", size_text(report.unreadable_bytes)));
}

bool is_whole(const views::ProcessState& state, const images::CoreReport& report) {
  return state.warnings.empty() && report.swapped_bytes == 0 && report.unreadable_bytes == 0 &&
         std::ranges::all_of(state.threads,
                             [](const auto& thread) { return thread.unknown.empty(); });
}

base::Result<CoreSummary> take(session::Session& session, std::int64_t pid,
                               const MemoryArguments& arguments, images::OutputFile& file,
                               Exit& exit) {
  CoreSummary summary;
  summary.warnings = session.warnings();
  const Terminal terminal = inspect(STDERR_FILENO);
  Progress bar(STDERR_FILENO, terminal);
  std::function<void(const images::CoreProgress&)> progress;
  if (!arguments.target.json && terminal.cursor)
    progress = [&bar, &terminal](const images::CoreProgress& now) {
      bar.show(progress_text({now.done, now.total, false}, terminal.width));
    };
  const auto look = [&](memory::PhysicalMemory& memory) -> base::Result<void> {
    // A thread that runs has its registers there; without them, its last ones are told as such.
    const auto registers = session.registers();
    const auto state =
        views::read_process(session.kernel(), memory, pid,
                            registers ? std::span(registers->processors)
                                      : std::span<const memory::X86GeneralRegisters>());
    if (!state) return base::fail(state.error());
    const images::CoreDescription core = describe(*state, *session.kernel().space.format);
    auto report = images::write_process_core(core, memory, progress, file);
    if (!report) return base::fail(report.error());
    summary.report = *report;
    summary.name = core.name;
    summary.threads = core.threads.size();
    summary.regions = core.regions.size();
    add_warnings(*state, *report, summary.warnings);
    exit = is_whole(*state, *report) ? Exit::complete : Exit::partial;
    return {};
  };
  const auto observation = session.observe(look);
  if (!observation) return base::fail(observation.error());
  std::ranges::copy(observation->outcome.warnings, std::back_inserter(summary.warnings));
  summary.started = observation->started;
  summary.duration_ns = observation->duration_ns;
  summary.stopped_ns = observation->stopped_ns;
  summary.atomic = name(observation->consistency.atomic);
  return summary;
}

Exit run_memory(const MemoryArguments& arguments) {
  const bool json = arguments.target.json;
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return report(pid.error(), json);
  if (arguments.target.dry_run)
    return show_dry_run(arguments.target, {"the core is written to " + arguments.output});
  using images::OutputFile;
  auto file = OutputFile::create(arguments.output, arguments.force ? OutputFile::Existing::replace
                                                                   : OutputFile::Existing::keep);
  if (!file) return report(file.error(), json);
  auto session = arguments.target.open();
  if (!session) return report(session.error(), json);
  Exit exit = Exit::complete;
  auto summary = take(**session, pid->value_or(0), arguments, *file, exit);
  if (!summary) return report(summary.error(), json);
  for (const auto& step : {&OutputFile::sync, &OutputFile::publish, &OutputFile::sync_name})
    if (auto done = (*file.*step)(); !done) return report(done.error(), json);
  summary->vm = identity(**session, arguments.target.vm);
  summary->kernel = identity((*session)->kernel());
  summary->technique = (*session)->technique().id;
  summary->pid = pid->value_or(0);
  summary->file = file->path().string();
  if (json) return print(core_json(*summary, json_layout(inspect(STDOUT_FILENO), false)), exit);
  warn(summary->warnings);
  return print(core_text(*summary), exit);
}

}  // namespace

Verb add_memory(CommandLine& line) {
  Command command = line.verb("memory", "Save the memory of a guest's process as a core for gdb");
  auto arguments = std::make_shared<MemoryArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command.option("PID", arguments->pid, "The process's id").required();
  command.option("-o,--output", arguments->output, "The core").required().of("FILE");
  command.flag("--force", arguments->force, "Replace a file that exists");
  command.footer(
      "Then: gdb PROGRAM FILE, with the program as the guest has it (vitrine exe). With --pause or "
      "a "
      "technique that copies, all is of one instant.");
  return {command, [arguments] { return run_memory(*arguments); }};
}

}  // namespace vitrine::cli
