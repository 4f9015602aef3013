#include "vitrine/images/snapshot.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "apps/cli/image_files.h"
#include "apps/cli/manifest.h"
#include "apps/cli/stored_manifest.h"
#include "apps/cli/verbs/merge.h"
#include "apps/cli/verbs/verb.h"
#include "vitrine/images/content_changes.h"
#include "vitrine/session/held_copies.h"

namespace vitrine::cli {
namespace {

using images::OutputFile;
using images::SnapshotProgress;

struct SnapshotArguments {
  Target target;
  std::string output;
  std::string format = "elf";
  std::vector<std::string> skip;
  bool force = false;
  std::string since;  // an image; empty: the new one is whole
  std::string merge;  // an image that is to be made whole; no VM then
  unsigned hold = 0;  // seconds

  images::Omissions omissions() const {
    const auto listed = [this](std::string_view name) {
      return std::ranges::find(skip, name) != skip.end();
    };
    return {.zero = listed("zero"), .free = listed("free"), .cache = listed("cache")};
  }
};

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// The image that the new one builds on, and what tells the pages that changed since.
struct Predecessor {
  StoredChain chain;
  std::unique_ptr<images::ImageChain> contents;  // null: frames tell
  std::unique_ptr<memory::PageChanges> changes;

  const std::string& sha256() const { return chain.links.back().sha256; }
};

// By page frames where the copy of then is held and the images hold all that it did, else by
// comparing everything with them. Error: `inconsistent` where they could never be made whole again.
base::Result<void> compare_with(Predecessor& earlier, session::Session& session,
                                memory::PhysicalMemory& now, Manifest& manifest) {
  auto contents = images::ImageChain::open(earlier.chain.links);
  if (!contents) return base::fail(contents.error());
  if (!std::ranges::equal((*contents)->ram(), now.ram()))
    return base::fail(base::Code::inconsistent, "the VM has other RAM now than in the image",
                      "save a whole image");
  auto frames = earlier.chain.complete()
                    ? session.changes_since(earlier.sha256())
                    : base::fail(base::Code::absent, "the image it builds on lacks pages");
  if (frames) {
    earlier.changes = std::move(*frames);
    return {};
  }
  if (frames.error().code != base::Code::unsupported)
    manifest.warnings.push_back("the contents of all pages are compared, since " +
                                frames.error().message);
  if (auto verified = (*contents)->verify([](std::uint64_t, std::uint64_t) {}); !verified)
    return verified;
  earlier.contents = std::move(*contents);
  earlier.changes = std::make_unique<images::ContentChanges>(*earlier.contents, now);
  return {};
}

// Takes the snapshot into `image` and says what it is.
base::Result<Manifest> take(session::Session& session, const SnapshotArguments& arguments,
                            std::optional<Predecessor>& earlier, OutputFile& image) {
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
    if (earlier) {
      if (auto compared = compare_with(*earlier, session, memory, manifest); !compared)
        return compared;
      request.since = images::Since{earlier->sha256(), earlier->changes.get()};
      manifest.since = {
          std::filesystem::proximate(std::filesystem::absolute(arguments.since),
                                     std::filesystem::absolute(image.path()).parent_path()),
          earlier->sha256(), earlier->contents ? "contents" : "frames"};
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
  manifest.atomic = consistency::name(observation->consistency.atomic);
  manifest.stopped_ns = observation->stopped_ns;
  manifest.drained_ns = observation->drained_ns;
  if (const auto& unreadable = manifest.report.unreadable)
    manifest.warnings.push_back(std::to_string(manifest.report.pages.unreadable) +
                                " pages are missing: " + base::to_string(*unreadable));
  return manifest;
}

// The copy is held for the next image, and that of the one before is of no more use.
base::Result<void> hold(session::Session& session, const SnapshotArguments& arguments,
                        std::optional<Predecessor>& earlier, const Manifest& manifest) {
  if (earlier) {
    earlier->changes.reset();  // It talks with who holds the copy.
    session::release_copy(earlier->sha256());
  }
  if (arguments.hold == 0) return {};
  return session.hold_copy(manifest.report.sha256, std::chrono::seconds(arguments.hold));
}

Exit take_snapshot(const SnapshotArguments& arguments) {
  const bool json = arguments.target.json;
  auto files = ImageFiles::create(arguments.output, arguments.force);
  if (!files) return report(files.error(), json);
  std::optional<Predecessor> earlier;
  if (!arguments.since.empty()) {
    auto chain = read_chain(arguments.since);
    if (!chain) return report(chain.error(), json);
    if (auto spared = spares_chain(arguments.output, chain->links); !spared)
      return report(spared.error(), json);
    earlier.emplace(Predecessor{std::move(*chain), nullptr, nullptr});
  }
  auto session = arguments.target.open();
  if (!session) return report(session.error(), json);
  if (arguments.hold != 0)
    if (auto able = (*session)->can_hold_copy(); !able) return report(able.error(), json);
  auto manifest = take(**session, arguments, earlier, files->image());
  if (!manifest) return report(manifest.error(), json);
  manifest->host = host_name();
  manifest->vm = identity(**session, arguments.target.vm);
  if ((*session)->machine() != nullptr) manifest->uuid = (*session)->machine()->uuid;
  manifest->kernel = identity((*session)->kernel());
  manifest->file = files->image().path().filename().string();
  if (auto published = files->publish(manifest_json(*manifest, JsonLayout::indented)); !published)
    return report(published.error(), json);
  Exit exit = manifest->report.unreadable ? Exit::partial : Exit::complete;
  if (auto held = hold(**session, arguments, earlier, *manifest); !held) {
    manifest->warnings.push_back("no copy is held for the next image: " +
                                 base::to_string(held.error()));
    exit = Exit::partial;
  }
  if (json)
    return print(manifest_json(*manifest, json_layout(inspect(STDOUT_FILENO), false)), exit);
  warn(manifest->warnings);
  return print(manifest_text(*manifest), exit);
}

base::Result<void> check(const SnapshotArguments& arguments) {
  const auto wrong = [](const char* what, const char* remedy) {
    return base::fail(base::Code::invalid, what, remedy);
  };
  const images::Omissions omissions = arguments.omissions();
  if (arguments.merge.empty() == arguments.target.vm.empty())
    return wrong("what to save is either a VM or, with --merge, an image",
                 "name one of them: vitrine snapshot --help");
  if (!arguments.merge.empty() && (!arguments.since.empty() || arguments.hold != 0))
    return wrong("--since and --hold are of snapshots of a VM", "leave them out with --merge");
  if (!arguments.merge.empty() && arguments.target.dry_run)
    return wrong("--dry-run is of what is done to a VM", "leave it out with --merge");
  if (!arguments.merge.empty() && (omissions.free || omissions.cache))
    return wrong("what is free or cache can only be told of a VM", "leave out zero pages only");
  if (!arguments.since.empty() && arguments.format != "elf")
    return wrong("only an image in the format elf can be incremental",
                 "use --format elf; --merge writes any format");
  return {};
}

// What is done besides looking at the memory.
std::vector<std::string> further_steps(const SnapshotArguments& arguments) {
  std::vector<std::string> steps{"the image is written to " + arguments.output};
  if (!arguments.since.empty())
    steps.push_back("only pages that changed since " + arguments.since +
                    " are written; its copy, if it is held, is ended");
  if (arguments.hold != 0)
    steps.push_back("the copy is held for " + std::to_string(arguments.hold) +
                    " s, for the next image");
  return steps;
}

Exit run_snapshot(const SnapshotArguments& arguments) {
  const bool json = arguments.target.json;
  if (auto checked = check(arguments); !checked) return report(checked.error(), json);
  if (arguments.target.dry_run) return show_dry_run(arguments.target, further_steps(arguments));
  if (arguments.merge.empty()) return take_snapshot(arguments);
  return merge_images({arguments.merge, arguments.output, *images::find_format(arguments.format),
                       arguments.omissions(), arguments.force, json});
}

}  // namespace

Verb add_snapshot(CommandLine& line) {
  Command command = line.verb("snapshot", "Save the guest's memory to a file, with a manifest");
  auto arguments = std::make_shared<SnapshotArguments>();
  arguments->target.add_to(command);
  command.find("VM").required(false);
  arguments->target.add_pause_to(command);
  command
      .option("-o,--output", arguments->output,
              "The image; FILE.json beside it will say what it is")
      .required()
      .of("FILE");
  command
      .option("--format", arguments->format,
              "raw: bare memory; elf: core file for crash and gdb; kdump: compressed, for crash")
      .one_of({"raw", "elf", "kdump"});
  command
      .option("--skip", arguments->skip,
              "Leave out pages that need not be saved: any of free, zero, cache")
      .separated_by(',')
      .one_of({"free", "zero", "cache"});
  command
      .option("--since", arguments->since,
              "Save only the pages that changed since this image was taken; by their page "
              "frames if its copy is held, else by their contents")
      .of("IMAGE");
  command
      .option("--hold", arguments->hold,
              "With --technique fork: hold the copy for the next --since; until then the "
              "guest's first write to each page costs a copied page, up to half of this "
              "host's free memory")
      .between(1U, 7 * 86400U)
      .of("SECONDS");
  command
      .option("--merge", arguments->merge,
              "Instead of a VM: make this incremental image whole, with those it builds on, "
              "which its manifest names")
      .of("IMAGE");
  command.flag("--force", arguments->force, "Replace files that exist");
  return {command, [arguments] { return run_snapshot(*arguments); }};
}

}  // namespace vitrine::cli
