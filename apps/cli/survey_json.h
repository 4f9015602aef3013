// Parts of surveys in JSON. For .cc files only: it brings nlohmann-json with it.
//
// Thread contract: pure functions.
#pragma once

#include <optional>

#include "vitrine/base/json.h"
#include "vitrine/survey/study.h"

namespace vitrine::cli {

// null where it is not known.
nlohmann::ordered_json number_json(std::optional<double> value);

nlohmann::ordered_json cell_json(const survey::Cell& cell);

}  // namespace vitrine::cli
