// A survey from the JSON that study_json.h writes: one that came with the product, or from another
// host.
//
// The text is not trusted: what does not fit is an error that names where, never a guess. Members
// that are not known are passed over, so that a later vitrine may add some.
//
// Thread contract: pure function.
#pragma once

#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/survey/study.h"

namespace vitrine::survey {

// Errors: `inconsistent` where the text is no survey, `unsupported` where its schema is another.
base::Result<Study> study_from_json(std::string_view text);

}  // namespace vitrine::survey
