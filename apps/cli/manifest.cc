#include "apps/cli/manifest.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/escape.h"
#include "apps/cli/format.h"
#include "apps/cli/json_text.h"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> names(const images::Omissions& omissions) {
  std::vector<std::string> list;
  if (omissions.free) list.emplace_back("free");
  if (omissions.zero) list.emplace_back("zero");
  if (omissions.cache) list.emplace_back("cache");
  return list;
}

Json image_json(const std::string& file, images::Format format,
                const images::SnapshotReport& report) {
  return {{"file", for_json(file)},
          {"format", std::string(images::name(format))},
          {"bytes", report.size},
          {"allocated_bytes", report.allocated_bytes},
          {"sha256", report.sha256}};
}

Json pages_json(const images::PageCounts& pages) {
  return {{"page_bytes", images::kPageBytes},
          {"total", pages.total},
          {"written", pages.written},
          {"free", pages.free},
          {"zero", pages.zero},
          {"cache", pages.cache},
          {"not_populated", pages.not_populated},
          {"unreadable", pages.unreadable},
          {"unchanged", pages.unchanged}};
}

Json since_json(const std::optional<ManifestSince>& since) {
  if (!since) return nullptr;
  return {{"file", for_json(since->file)},
          {"sha256", since->sha256},
          {"compared", std::string(since->how)}};
}

Json registers_json(const Manifest& manifest) {
  if (manifest.processors == 0) return nullptr;
  return {{"processors", manifest.processors}, {"same_instant", manifest.registers_same_instant}};
}

}  // namespace

std::string manifest_json(const Manifest& manifest, JsonLayout layout) {
  Json object = {{"schema", 1},
                 {"tool", {{"name", "vitrine"}, {"version", VITRINE_VERSION}}},
                 {"host", for_json(manifest.host)},
                 {"started", rfc3339(manifest.started)},
                 {"ended", rfc3339(manifest.ended)},
                 {"vm", vm_json(manifest.vm)}};
  object["vm"]["uuid"] = manifest.uuid.empty() ? Json() : Json(for_json(manifest.uuid));
  object["kernel"] = kernel_json(manifest.kernel);
  object["technique"] = std::string(manifest.technique);
  object["consistency"] = {{"atomic", std::string(manifest.atomic)}};
  object["stopped_ns"] = manifest.stopped_ns;
  object["drained_ns"] = manifest.drained_ns;
  object["registers"] = registers_json(manifest);
  object["image"] = image_json(manifest.file, manifest.format, manifest.report);
  object["since"] = since_json(manifest.since);
  object["ram_bytes"] = manifest.report.ram_bytes;
  object["skip"] = texts_json(names(manifest.omissions));
  object["pages"] = pages_json(manifest.report.pages);
  object["warnings"] = texts_json(manifest.warnings);
  return json_text(object, layout);
}

std::string manifest_text(const Manifest& manifest) {
  const images::SnapshotReport& report = manifest.report;
  const auto pages = [](std::uint64_t count) { return size_text(count * images::kPageBytes); };
  std::string text = fmt::format(
      "{} of RAM became {} on the disk ({}, {} with holes)\n"
      "written     {}\n"
      "left out    {} never touched",
      size_text(report.ram_bytes), size_text(report.allocated_bytes), images::name(manifest.format),
      size_text(report.size), pages(report.pages.written), pages(report.pages.not_populated));
  if (manifest.omissions.free) text += fmt::format(", {} free", pages(report.pages.free));
  if (manifest.omissions.zero) text += fmt::format(", {} zero", pages(report.pages.zero));
  if (manifest.omissions.cache) text += fmt::format(", {} page cache", pages(report.pages.cache));
  if (manifest.since)
    text += fmt::format("\nunchanged   {} since {}, by their {}", pages(report.pages.unchanged),
                        for_terminal(manifest.since->file),
                        manifest.since->how == "frames" ? "page frames" : "contents");
  const auto took =
      std::chrono::duration_cast<std::chrono::nanoseconds>(manifest.ended - manifest.started);
  return text + fmt::format(
                    "\n"
                    "one instant {}, through {}\n"
                    "time        {}, guest stopped for {}{}\n"
                    "sha256      {}\n"
                    "image       {}, with its manifest {}.json\n",
                    manifest.atomic == "proved" ? "yes" : "not known: the guest was running",
                    manifest.technique, seconds_text(std::int64_t{took.count()}),
                    seconds_text(manifest.stopped_ns),
                    manifest.drained_ns == 0 ? ""
                                             : fmt::format(", {} of it to drain its disks",
                                                           seconds_text(manifest.drained_ns)),
                    report.sha256, for_terminal(manifest.file), for_terminal(manifest.file));
}

std::string merged_json(const MergedImage& merged, std::string_view newest, JsonLayout layout) {
  Json object = Json::parse(newest, nullptr, false);
  if (!object.is_object()) object = Json::object();
  object.erase("since");
  Json from = Json::array();
  for (const images::ChainLink& link : merged.from)
    from.push_back({{"file", for_json(link.file.filename().string())}, {"sha256", link.sha256}});
  object["merged"] = {{"at", rfc3339(merged.at)}, {"from", from}};
  object["image"] = image_json(merged.file, merged.format, merged.report);
  object["ram_bytes"] = merged.report.ram_bytes;
  object["skip"] = texts_json(merged.skip);
  object["pages"] = pages_json(merged.report.pages);
  object["warnings"] = texts_json(merged.warnings);
  return json_text(object, layout);
}

std::string merged_text(const MergedImage& merged) {
  return fmt::format(
      "{} images, each as its manifest says, became one of {} on the disk ({})\n"
      "sha256      {}\n"
      "image       {}, with its manifest {}.json\n",
      merged.from.size(), size_text(merged.report.allocated_bytes), images::name(merged.format),
      merged.report.sha256, for_terminal(merged.file), for_terminal(merged.file));
}

std::string progress_text(const images::SnapshotProgress& progress, std::size_t width) {
  const double part = progress.total == 0 ? 1
                                          : static_cast<double>(progress.done) /
                                                static_cast<double>(progress.total);
  std::string numbers = progress.finishing
                            ? std::string(" 100 %  completing the image")
                            : fmt::format(" {:3.0f} %  {} of {}", part * 100,
                                          size_text(progress.done), size_text(progress.total));
  constexpr std::size_t kLongestMember = 40;
  if (width < numbers.size() + 4) return numbers;
  const std::size_t bar = std::min(kLongestMember, width - numbers.size() - 3);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar));
  return "[" + std::string(filled, '#') + std::string(bar - filled, '.') + "]" + numbers;
}

}  // namespace vitrine::cli
