// Writing JSON. For .cc files only: it brings nlohmann-json with it.
//
// Thread contract: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/cli/json.h"

namespace vitrine::cli {

// The value and a line feed. Pure ASCII, so that no character of a guest reaches a terminal raw;
// never fails, strings that are no UTF-8 (for_json forgotten) get replacement characters.
std::string json_text(const nlohmann::ordered_json& value, JsonLayout layout);

}  // namespace vitrine::cli
