#include "vitrine/session/dry_run.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "apps/cli/dry_run_text.h"
#include "apps/cli/verbs/verb.h"

namespace vitrine::cli {

Exit show_dry_run(const Target& target, std::vector<std::string> more) {
  if (auto machine = find_machine(target.vm, "--dry-run"); !machine)
    return report(machine.error(), target.json);
  auto plan = session::dry_run(target.vm, target.options());
  if (!plan) return report(plan.error(), target.json);
  std::ranges::move(more, std::back_inserter(plan->steps));
  const VmIdentity vm = identity(plan->machine, target.vm);
  const Exit exit = plan->refused ? exit_of(*plan->refused) : Exit::complete;
  return print(target.json ? dry_run_json(*plan, vm, json_layout(inspect(STDOUT_FILENO), false))
                           : dry_run_text(*plan, vm),
               exit);
}

}  // namespace vitrine::cli
