// A survey as somebody names it: the folder that `vitrine survey` made, its SQLite file, or the
// JSON that was exported from it.
//
// Thread contract: independent calls. No effect on any guest.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/survey/study.h"

namespace vitrine::survey {

// What a survey's SQLite file is called in its folder.
inline constexpr std::string_view kStudyFileName = "survey.sqlite";

// A name that ends in .json is read as that, a folder's file is kStudyFileName. Errors: `absent`
// where there is no such file; as load_study and study_from_json, with the path.
base::Result<Study> read_study(const std::filesystem::path& path);

// The same; without a path, the survey that is built in. Besides, `absent` where there is none.
base::Result<Study> study_or_shipped(const std::filesystem::path& path);

// What a survey's figures are figures of: "host kernel 6.18.44, QEMU 7.2.22, tcg, 2026-11-27".
// What it does not say is said to be unknown.
std::string origin_text(const Study& study);

}  // namespace vitrine::survey
