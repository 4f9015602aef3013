#include "apps/cli/dry_run_text.h"

#include <fmt/format.h>

#include "apps/cli/error.h"
#include "apps/cli/escape.h"
#include "apps/cli/json_text.h"

namespace vitrine::cli {

using Json = nlohmann::ordered_json;

std::string dry_run_text(const session::DryRun& plan, const VmIdentity& vm) {
  std::string text = fmt::format("{} of {}, not done:\n", plan.technique,
                                 for_terminal(vm.name.value_or(vm.source)));
  if (plan.steps.empty()) text += "  nothing that the VM could notice\n";
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    text += fmt::format("{:3}. {}\n", i + 1, for_terminal(plan.steps[i]));
  for (const std::string& doubt : plan.doubts)
    text += fmt::format("not proved to be of one instant, because of {}\n", for_terminal(doubt));
  if (plan.refused) text += "refused: " + error_text(*plan.refused);
  return text;
}

std::string dry_run_json(const session::DryRun& plan, const VmIdentity& vm, JsonLayout layout) {
  Json refused;
  if (plan.refused) refused = Json::parse(error_json(*plan.refused)).at("error");
  return json_text({{"schema", 1},
                    {"vm", vm_json(vm)},
                    {"technique", plan.technique},
                    {"steps", texts_json(plan.steps)},
                    {"doubts", texts_json(plan.doubts)},
                    {"refused", refused}},
                   layout);
}

}  // namespace vitrine::cli
