// The survey that came with the product, for hosts that have none of their own.
//
// Thread contract: immutable.
#pragma once

#include <string_view>

namespace vitrine::survey {

// As JSON (study_from_json.h); empty where this build has none. CMake puts
// vitrine/survey/shipped_survey.json there, if it exists.
std::string_view shipped_survey();

}  // namespace vitrine::survey
