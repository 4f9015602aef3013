#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "apps/cli/escape.h"
#include "apps/cli/file_output.h"
#include "apps/cli/json.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/content.h"

namespace vitrine::cli {
namespace {

struct CatArguments {
  Target target;
  std::string path;
  std::string pid;
  std::string descriptor;
  std::string output;
  bool raw = false;
};

base::Result<views::ContentOptions> options_of(const CatArguments& arguments) {
  views::ContentOptions options{.path = arguments.path, .sink = {}};
  const auto pid = parse_pid(arguments.pid);
  if (!pid) return base::fail(pid.error());
  options.pid = pid->value_or(1);
  if (arguments.path.empty() == arguments.descriptor.empty())
    return base::fail(base::Code::invalid, "name a file: by PATH, or by --pid PID and --fd N");
  if (arguments.descriptor.empty()) return options;
  unsigned number = 0;
  const char* end = arguments.descriptor.data() + arguments.descriptor.size();
  const auto parsed = std::from_chars(arguments.descriptor.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || !*pid)
    return base::fail(base::Code::invalid, "--fd is the number of a descriptor of --pid",
                      "vitrine lsof lists them");
  options.descriptor = number;
  return options;
}

bool is_known(const views::ContentRange& range) {
  return range.presence == views::Presence::cached || range.presence == views::Presence::hole;
}

// Which ranges are not known; nothing where all are.
std::optional<base::Error> what_is_missing(const views::Content& content) {
  constexpr std::size_t kMostNamed = 10;
  std::string named;
  std::size_t count = 0;
  for (const views::ContentRange& range : content.ranges())
    if (!is_known(range) && ++count <= kMostNamed)
      named += fmt::format("{}{}-{} {}", named.empty() ? "" : ", ", range.offset,
                           range.offset + range.bytes - 1, views::name(range.presence));
  if (count == 0) return std::nullopt;
  if (count > kMostNamed) named += fmt::format(", {} more", count - kMostNamed);
  return base::Error{base::Code::absent,
                     "not all of the file is in the guest's memory; bytes " + named,
                     "zeros stand for what is missing"};
}

// Line by line, so that nothing of the guest can command the terminal.
std::string harmless(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\n\t");
    shown += for_terminal(text.substr(0, end));
    if (end == std::string_view::npos) return shown + '\n';
    shown += text[end];
    text.remove_prefix(end + 1);
  }
  return shown;
}

FileReport report_of(const views::Content& content, const FileOutput& output, bool whole) {
  FileReport file{.inode = content.file().number, .sha256 = {}};
  for (const views::ContentRange& range : content.ranges()) {
    file.size_bytes += range.bytes;
    if (range.presence == views::Presence::cached) file.cached_bytes += range.bytes;
  }
  if (whole) file.sha256 = output.sha256();
  return file;
}

Exit show_json(const CatArguments& arguments, session::Session& session,
               const session::Observation& observation, const views::Content& content,
               const FileReport& file, const std::optional<base::Error>& missing) {
  std::vector<views::Row> rows;
  rows.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) rows.push_back(content.row(i));
  std::vector<std::string> warnings = session.warnings();
  std::ranges::copy(observation.outcome.warnings, std::back_inserter(warnings));
  if (missing) warnings.push_back(missing->message);
  const ObservationReport report{identity(session, arguments.target.vm),
                                 identity(session.kernel()),
                                 std::string(content.name()),
                                 std::string(session.technique().id),
                                 provenance_of(observation),
                                 warnings};
  return print(
      file_json(report, file, content.columns(), rows, json_layout(inspect(STDOUT_FILENO), false)),
      missing ? Exit::partial : Exit::complete);
}

Exit show(const CatArguments& arguments, session::Session& session,
          const session::Observation& observation, const views::Content& content,
          FileOutput& output) {
  std::uint64_t size = 0;
  if (!content.ranges().empty())
    size = content.ranges().back().offset + content.ranges().back().bytes;
  if (auto finished = output.finish(size); !finished)
    return report(finished.error(), arguments.target.json);
  const auto missing = what_is_missing(content);
  if (arguments.target.json)
    return show_json(arguments, session, observation, content, report_of(content, output, !missing),
                     missing);
  warn(session.warnings());
  warn(observation.outcome.warnings);
  Exit exit = Exit::complete;
  if (arguments.output.empty())
    exit = print(inspect(STDOUT_FILENO).interactive && !arguments.raw ? harmless(output.text())
                                                                      : output.text());
  if (!missing) return exit;
  report(*missing, false);
  return worse(exit, Exit::partial);
}

Exit run_cat(const CatArguments& arguments) {
  const Target& target = arguments.target;
  auto options = options_of(arguments);
  if (!options) return report(options.error(), target.json);
  if (target.dry_run) return show_dry_run(target);
  const bool saves = !arguments.output.empty();
  FileOutput output(saves ? FileOutput::Use::save
                          : (target.json ? FileOutput::Use::hash : FileOutput::Use::print));
  if (saves)
    if (auto created = output.create(arguments.output); !created)
      return report(created.error(), target.json);
  options->sink = [&output](std::uint64_t offset, std::span<const std::byte> bytes) {
    return output.put(offset, bytes);
  };
  auto session = target.open();
  if (!session) return report(session.error(), target.json);
  auto view =
      views::Content::attach((*session)->kernel(), (*session)->memory(), std::move(*options));
  if (!view) return report(view.error(), target.json);
  const auto& content = static_cast<const views::Content&>(**view);
  const auto observation = (*session)->observe(**view);
  if (!observation) return report(observation.error(), target.json);
  if (content.failure()) return report(*content.failure(), target.json);
  return show(arguments, **session, *observation, content, output);
}

}  // namespace

Verb add_cat(CommandLine& line) {
  Command command = line.verb("cat", "Print or save a file of the guest, from its page cache");
  auto arguments = std::make_shared<CatArguments>();
  arguments->target.add_to(command);
  arguments->target.add_pause_to(command);
  command.option("PATH", arguments->path, "A file of the guest, from its root directory");
  command.option("--pid", arguments->pid,
                 "See PATH as this process does: from its root directory and among its mounts; "
                 "without it, as the guest's first process");
  command.option("--fd", arguments->descriptor,
                 "In place of PATH: the file behind this descriptor of --pid, even if it was "
                 "deleted");
  command.option("-o,--output", arguments->output, "Save it to a new file, with holes").of("FILE");
  command.flag("--raw", arguments->raw,
               "Print control characters to a terminal as they are: they may command it");
  command.footer(
      "Only what the guest itself has in memory can be read: what is missing is named, and the "
      "exit "
      "status is 3. --json prints which ranges are there, and the SHA-256 of a whole file.");
  return {command, [arguments] { return run_cat(*arguments); }};
}

}  // namespace vitrine::cli
