// What a survey found, as people and programs read it.
//
// Thread contract: pure functions.
#pragma once

#include <string>

#include "apps/cli/json.h"
#include "apps/cli/terminal.h"
#include "vitrine/survey/study.h"

namespace vitrine::cli {

// Each statement of the paper with the verdict of the survey's figures.
std::string findings_text(const survey::Study& study, const Terminal& terminal);

// The same with the figures themselves, as docs/findings.md has it.
std::string findings_markdown(const survey::Study& study);

// As docs/cli.md describes it.
std::string findings_json(const survey::Study& study, JsonLayout layout);

}  // namespace vitrine::cli
