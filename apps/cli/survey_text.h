// A survey as text for people: a line per way of looking, what was not measured and why, and how
// far it has come.
//
// Thread contract: pure functions.
#pragma once

#include <chrono>
#include <string>

#include "apps/cli/terminal.h"
#include "vitrine/survey/runner.h"
#include "vitrine/survey/study.h"

namespace vitrine::cli {

// Medians of the runs of each cell, then the cells without any.
std::string survey_text(const survey::Study& study, const Terminal& terminal);

// "round 2: processes through process-vm, freeze; about 3 min left", on one line.
std::string survey_progress(const survey::Progress& progress);

// "45 s", "3 min", "2 h": rounded up.
std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace vitrine::cli
