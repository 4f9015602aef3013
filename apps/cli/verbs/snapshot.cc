#include "vitrine/images/snapshot.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "apps/cli/manifest.h"
#include "apps/cli/verbs/verb.h"

namespace vitrine::cli {
namespace {

using images::OutputFile;
using images::SnapshotProgress;

struct Arguments {
  Target target;
  std::string output;
  std::string format = "elf";
  std::vector<std::string> skip;
  bool force = false;

  images::Omissions omissions() const {
    const auto listed = [this](std::string_view name) {
      return std::ranges::find(skip, name) != skip.end();
    };
    return {.zero = listed("zero"), .free = listed("free"), .cache = listed("cache")};
  }
};

// The image and its manifest, both without a name until both are whole.
struct Files {
  OutputFile image;
  OutputFile manifest;

  // The image last: where there is one, its manifest is there, too.
  base::Result<void> publish() {
    for (OutputFile* file : {&image, &manifest})
      if (auto synced = file->sync(); !synced) return synced;
    if (auto named = manifest.publish(); !named) return named;
    if (auto named = image.publish(); !named) {
      unlink(manifest.path().c_str());
      return named;
    }
    return image.sync_name();
  }
};

base::Result<Files> create_files(const Arguments& arguments) {
  const auto existing =
      arguments.force ? OutputFile::Existing::replace : OutputFile::Existing::keep;
  auto image = OutputFile::create(arguments.output, existing);
  if (!image) return base::fail(image.error());
  auto manifest = OutputFile::create(arguments.output + ".json", existing);
  if (!manifest) return base::fail(manifest.error());
  return Files{std::move(*image), std::move(*manifest)};
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Takes the snapshot into `image` and says what it is.
base::Result<Manifest> take(session::Session& session, const Arguments& arguments,
                            OutputFile& image) {
  Manifest manifest;
  manifest.format = *images::find_format(arguments.format);
  manifest.omissions = arguments.omissions();
  manifest.warnings = session.warnings();
  const Terminal terminal = inspect(STDERR_FILENO);
  Progress progress(STDERR_FILENO, terminal);
  images::SnapshotRequest request{
      .format = manifest.format, .omissions = manifest.omissions, .processors = {}, .progress = {}};
  if (!arguments.target.json && terminal.cursor)
    request.progress = [&progress, &terminal](const SnapshotProgress& now) {
      progress.show(progress_text(now, terminal.width));
    };
  const auto look = [&](memory::PhysicalMemory& memory) -> base::Result<void> {
    if (auto registers = session.registers()) {
      request.processors = std::move(registers->processors);
      manifest.registers_same_instant = registers->same_instant;
    } else {
      manifest.warnings.push_back("the image holds no registers, since " +
                                  registers.error().message);
    }
    auto report = images::write_snapshot(session.kernel(), memory, request, image);
    if (!report) return base::fail(report.error());
    manifest.report = std::move(*report);
    return {};
  };
  auto observation = session.observe(look);
  if (!observation) return base::fail(observation.error());
  std::ranges::copy(observation->outcome.warnings, std::back_inserter(manifest.warnings));
  manifest.started = observation->started;
  manifest.ended = std::chrono::system_clock::now();
  manifest.processors = request.processors.size();
  manifest.technique = session.technique().id;
  manifest.atomic = observation->consistency.atomic;
  manifest.stopped_ns = observation->stopped_ns;
  manifest.drained_ns = observation->drained_ns;
  if (const auto& unreadable = manifest.report.unreadable)
    manifest.warnings.push_back(std::to_string(manifest.report.pages.unreadable) +
                                " pages are missing: " + base::to_string(*unreadable));
  return manifest;
}

Exit run(const Arguments& arguments) {
  const bool json = arguments.target.json;
  auto files = create_files(arguments);
  if (!files) return report(files.error(), json);
  auto session = session::Session::open(arguments.target.vm, arguments.target.options());
  if (!session) return report(session.error(), json);
  auto manifest = take(**session, arguments, files->image);
  if (!manifest) return report(manifest.error(), json);
  manifest->host = host_name();
  manifest->vm = identity((*session)->machine(), arguments.target.vm);
  manifest->uuid = (*session)->machine().uuid;
  manifest->kernel = identity((*session)->kernel());
  manifest->file = files->image.path().filename().string();
  const std::string text = manifest_json(*manifest, JsonLayout::indented);
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  if (auto written = files->manifest.write(0, bytes); !written)
    return report(written.error(), json);
  if (auto published = files->publish(); !published) return report(published.error(), json);
  const Exit exit = manifest->report.unreadable ? Exit::partial : Exit::complete;
  if (json)
    return print(manifest_json(*manifest, json_layout(inspect(STDOUT_FILENO), false)), exit);
  warn(manifest->warnings);
  return print(manifest_text(*manifest), exit);
}

}  // namespace

Verb add_snapshot(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("snapshot", "Save the guest's memory to a file, with a manifest");
  auto arguments = std::make_shared<Arguments>();
  arguments->target.add_to(*command);
  arguments->target.add_pause_to(*command);
  command
      ->add_option("-o,--output", arguments->output,
                   "The image; FILE.json beside it will say what it is")
      ->required()
      ->type_name("FILE");
  command
      ->add_option(
          "--format", arguments->format,
          "raw: bare memory; elf: core file for crash and gdb; kdump: compressed, for crash")
      ->check(CLI::IsMember({"raw", "elf", "kdump"}));
  command
      ->add_option("--skip", arguments->skip,
                   "Leave out pages that need not be saved: any of free, zero, cache")
      ->delimiter(',')
      ->check(CLI::IsMember({"free", "zero", "cache"}));
  command->add_flag("--force", arguments->force, "Replace files that exist");
  return {command, [arguments] { return run(*arguments); }};
}

}  // namespace vitrine::cli
