// A run's figures, by the names that study.h gives them.
//
// Thread contract: pure functions.
#pragma once

#include "vitrine/survey/inconsistency.h"
#include "vitrine/survey/rate.h"
#include "vitrine/survey/study.h"

namespace vitrine::survey {

Figures figures_of(const Rate& rate);

// Of an audit: of what reached what was demanded, how much showed what does not fit together.
Figures figures_of(const ModeResult& audit);

}  // namespace vitrine::survey
