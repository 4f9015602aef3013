// What the paper says of the techniques, judged by a survey's own figures: confirmed, refined or
// refuted, with the numbers, and unknown where the survey did not measure what is needed.
//
// Thread contract: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vitrine/survey/study.h"

namespace vitrine::survey {

enum class Verdict {
  confirmed,
  refined,  // it holds, but not for every way of looking, or not by as much
  refuted,
  unknown,  // what it takes to judge was not measured
};

// The verdict's name, e.g. "confirmed".
std::string_view name(Verdict verdict);

struct Finding {
  std::string statement;  // the paper's, one sentence
  Verdict verdict = Verdict::unknown;
  std::string explanation;     // why, with the figures; where unknown, what is missing
  std::vector<Cell> evidence;  // the cells whose figures those are; none where unknown
};

// Every statement, judged, in the order of the paper's chapters.
std::vector<Finding> findings(const Study& study);

}  // namespace vitrine::survey
