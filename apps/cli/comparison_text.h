// Two surveys set against each other, as people and programs read it.
//
// Thread contract: pure functions.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/json.h"
#include "apps/cli/terminal.h"
#include "vitrine/survey/comparison.h"

namespace vitrine::cli {

// "faster", "slower", "more", "less", "no difference beyond noise", "too few runs".
std::string difference_text(const survey::Change& change);

// What differs beyond noise, a row for each cell and figure, and how much else was compared.
// `everything`: a row for what does not differ, too.
std::string comparison_text(const survey::Comparison& comparison, bool everything,
                            const Terminal& terminal);

// As docs/cli.md describes it.
std::string comparison_json(const survey::Comparison& comparison, JsonLayout layout);

// For stderr: what makes the surveys other ones than they seem, and what only one of them covers.
std::vector<std::string> comparison_warnings(const survey::Comparison& comparison);

}  // namespace vitrine::cli
