// What looking into a VM would do to it, and whether it could be done, told without doing it.
//
// Thread contract: independent calls may run in parallel. Effect on the guest: none; the VMM's
// monitor is asked for the RAM layout.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/session/attach.h"

namespace vitrine::session {

struct DryRun {
  vmm::Machine machine;
  std::string technique;               // its id
  std::vector<std::string> steps;      // none: the VM could not notice
  std::vector<std::string> doubts;     // why what is read might not be of one instant nevertheless
  std::optional<base::Error> refused;  // why it would not be done
};

// Errors: as vmm::find and likely_layout; `invalid` where the options contradict.
base::Result<DryRun> dry_run(std::string_view vm, const Options& options);

}  // namespace vitrine::session
