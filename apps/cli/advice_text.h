// Advice as people and programs read it.
//
// Thread contract: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/json.h"
#include "apps/cli/report.h"
#include "apps/cli/terminal.h"
#include "vitrine/survey/advice.h"

namespace vitrine::cli {

struct AdviceReport {
  std::string source;  // of the survey: its path, or "shipped"
  std::string origin;  // survey::origin_text
  survey::Facts facts;
  std::optional<VmIdentity> vm;
  std::string vm_word;  // what the commands call it
  std::string view_verb;
  survey::Needs needs;
  survey::Scope scope;
  std::vector<survey::Advice> advice;
};

// A table of what fits, the best first, with the command to run. `all`: besides, why each other was
// left out.
std::string advice_text(const AdviceReport& report, bool all, const Terminal& terminal);

// All of it, what does not fit included, as docs/cli.md describes it.
std::string advice_json(const AdviceReport& report, JsonLayout layout);

// That nothing fits, and the need that most fails at.
base::Error nothing_fits(const AdviceReport& report);

}  // namespace vitrine::cli
