// What `--dry-run` says.
//
// Thread contract: pure functions; nothing is printed here.
#pragma once

#include <string>

#include "apps/cli/json.h"
#include "apps/cli/report.h"
#include "vitrine/session/dry_run.h"

namespace vitrine::cli {

std::string dry_run_text(const session::DryRun& plan, const VmIdentity& vm);
std::string dry_run_json(const session::DryRun& plan, const VmIdentity& vm, JsonLayout layout);

}  // namespace vitrine::cli
