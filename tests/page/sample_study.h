// A study with plausible numbers, none of which was measured: what the tests of the report show.
//
// Thread contract: pure function.
#pragma once

#include "vitrine/survey/study.h"

namespace vitrine::survey {

// Two guests, two workloads, two views; cells that were measured, refused, failed and not run; a
// technique that never stops the guest, and figures over seven decades. The guests' names are
// hostile.
Study sample_study();

}  // namespace vitrine::survey
