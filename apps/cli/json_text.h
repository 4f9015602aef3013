// Writing JSON. For .cc files only: it brings nlohmann-json with it.
//
// Thread contract: pure functions.
#pragma once

#include <string>

#include "apps/cli/json.h"
#include "apps/cli/report.h"
#include "vitrine/base/json.h"
#include "vitrine/base/result.h"

namespace vitrine::cli {

// The value and a line feed. Pure ASCII, so that no character of a guest reaches a terminal raw;
// never fails, strings that are no UTF-8 (for_json forgotten) get replacement characters.
std::string json_text(const nlohmann::ordered_json& value, JsonLayout layout);

// The parts that documents share, as docs/cli.md describes them.
nlohmann::ordered_json vm_json(const VmIdentity& vm);
nlohmann::ordered_json kernel_json(const std::optional<KernelIdentity>& kernel);
nlohmann::ordered_json error_object(const base::Error& error);
nlohmann::ordered_json provenance_json(const Provenance& observation);
nlohmann::ordered_json texts_json(std::span<const std::string> list);

}  // namespace vitrine::cli
