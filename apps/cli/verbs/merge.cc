#include "apps/cli/verbs/merge.h"

#include <unistd.h>

#include <algorithm>

#include "apps/cli/image_files.h"
#include "apps/cli/manifest.h"
#include "apps/cli/stored_manifest.h"
#include "apps/cli/verbs/verb.h"

namespace vitrine::cli {
namespace {

using images::SnapshotProgress;

base::Result<MergedImage> merge(const MergeArguments& arguments, const StoredChain& chain,
                                images::OutputFile& file) {
  auto memory = images::ImageChain::open(chain.links);
  if (!memory) return base::fail(memory.error());
  const Terminal terminal = inspect(STDERR_FILENO);
  Progress progress(STDERR_FILENO, terminal);
  const auto tell = [&](const SnapshotProgress& now) {
    if (!arguments.json && terminal.cursor) progress.show(progress_text(now, terminal.width));
  };
  auto verified = (*memory)->verify([&](std::uint64_t done, std::uint64_t total) {
    tell({done, total});
  });
  if (!verified) return base::fail(verified.error());
  images::GuestDescription guest = (*memory)->description();
  guest.omissions = arguments.omissions;
  auto report = images::write_image(guest, **memory,
                                    {.format = arguments.format,
                                     .omissions = arguments.omissions,
                                     .processors = {},
                                     .progress = tell},
                                    file);
  if (!report) return base::fail(report.error());
  MergedImage merged;
  merged.from = chain.links;
  merged.at = std::chrono::system_clock::now();
  merged.file = file.path().filename().string();
  merged.format = arguments.format;
  merged.skip = chain.skip;
  if (arguments.omissions.zero && std::ranges::find(merged.skip, "zero") == merged.skip.end())
    merged.skip.emplace_back("zero");
  if (chain.unreadable)
    merged.warnings.emplace_back(
        "pages are missing that the host could not read when one of the images was taken");
  merged.report = std::move(*report);
  return merged;
}

}  // namespace

Exit merge_images(const MergeArguments& arguments) {
  auto files = ImageFiles::create(arguments.output, arguments.force);
  if (!files) return report(files.error(), arguments.json);
  const auto chain = read_chain(arguments.newest);
  if (!chain) return report(chain.error(), arguments.json);
  if (auto spared = spares_chain(arguments.output, chain->links); !spared)
    return report(spared.error(), arguments.json);
  const auto merged = merge(arguments, *chain, files->image());
  if (!merged) return report(merged.error(), arguments.json);
  const std::string text = merged_json(*merged, chain->newest, JsonLayout::indented);
  if (auto published = files->publish(text); !published)
    return report(published.error(), arguments.json);
  return print(arguments.json
                   ? merged_json(*merged, chain->newest, json_layout(inspect(STDOUT_FILENO), false))
                   : merged_text(*merged));
}

}  // namespace vitrine::cli
