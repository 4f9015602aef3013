#include "vitrine/session/dry_run.h"

#include <iterator>
#include <ranges>
#include <utility>

#include "vitrine/session/stopper.h"

namespace vitrine::session {

base::Result<DryRun> dry_run(std::string_view vm, const Options& options) {
  auto machine = vmm::find(std::string(vm));
  if (!machine) return base::fail(machine.error());
  DryRun plan{std::move(*machine), options.technique, {}, {}, {}};
  const auto layout = likely_layout(plan.machine);
  if (!layout) return base::fail(layout.error());
  const auto technique = choose_technique(options.technique, plan.machine, *layout);
  if (!technique && technique.error().code == base::Code::invalid)
    return base::fail(technique.error());
  if (!technique) {
    plan.refused = technique.error();
    return plan;
  }
  const techniques::Description& about = (*technique)->description();
  if (auto allowed = check_pause(about, options.pause); !allowed)
    return base::fail(allowed.error());
  plan.technique = about.id;
  plan.steps = (*technique)->steps(plan.machine, *layout);
  if (auto usable = (*technique)->usable(plan.machine, *layout); !usable)
    plan.refused = usable.error();
  if (auto allowed = check_effect(about, options); !allowed && !plan.refused)
    plan.refused = allowed.error();
  // What is of one instant is not stopped besides.
  if (about.one_instant) return plan;
  Stopper::Plan stop = Stopper::plan(options.pause, plan.machine, *layout);
  std::ranges::move(stop.steps, std::back_inserter(plan.steps));
  plan.doubts = std::move(stop.doubts);
  if (!plan.refused) plan.refused = std::move(stop.refused);
  return plan;
}

}  // namespace vitrine::session
