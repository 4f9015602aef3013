#include "apps/cli/core_report.h"

#include <fmt/format.h>

#include "apps/cli/escape.h"
#include "apps/cli/format.h"
#include "apps/cli/json_text.h"

namespace vitrine::cli {

std::string core_json(const CoreSummary& core, JsonLayout layout) {
  const images::CoreReport& report = core.report;
  nlohmann::ordered_json object = {{"schema", 1}, {"vm", vm_json(core.vm)}};
  object["kernel"] = kernel_json(core.kernel);
  object["technique"] = std::string(core.technique);
  object["observation"] = {{"started", rfc3339(core.started)},
                           {"duration_ns", core.duration_ns},
                           {"stopped_ns", core.stopped_ns},
                           {"consistency", {{"atomic", std::string(core.atomic)}}}};
  object["process"] = {{"pid", core.pid},
                       {"comm", for_json(core.name)},
                       {"threads", core.threads},
                       {"regions", core.regions},
                       {"mapped_bytes", report.mapped_bytes},
                       {"resident_bytes", report.resident_bytes},
                       {"swapped_bytes", report.swapped_bytes},
                       {"unreadable_bytes", report.unreadable_bytes}};
  object["core"] = {{"file", for_json(core.file)},
                    {"bytes", report.size},
                    {"allocated_bytes", report.allocated_bytes},
                    {"segments", report.segments}};
  object["warnings"] = texts_json(core.warnings);
  return json_text(object, layout);
}

std::string core_text(const CoreSummary& core) {
  const images::CoreReport& report = core.report;
  std::string text =
      fmt::format("process     {} ({}), {} threads, {} regions of {}\nin memory   {}", core.pid,
                  for_terminal(core.name), core.threads, core.regions,
                  size_text(report.mapped_bytes), size_text(report.resident_bytes));
  if (report.swapped_bytes != 0)
    text += fmt::format(", and {} swapped out", size_text(report.swapped_bytes));
  return text + fmt::format("\none instant {}, through {}\ncore        {}, {} on the disk\n",
                            core.atomic == "proved" ? "yes" : "not known: the guest was running",
                            core.technique, for_terminal(core.file),
                            size_text(report.allocated_bytes));
}

}  // namespace vitrine::cli
