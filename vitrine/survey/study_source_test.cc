#include "vitrine/survey/study_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "vitrine/survey/study_file.h"
#include "vitrine/survey/study_json.h"

namespace vitrine::survey {
namespace {

using testing::HasSubstr;

class StudySource : public testing::Test {
 protected:
  StudySource() {
    study_.facts = {{"host_kernel", "6.18.44"}, {"qemu_version", "7.2.22"}, {"plan", "quick"}};
    study_.guests.push_back({"demo", "6.1.0-50", 1 << 30, 1, 50});
    study_.cells.push_back(
        {{"demo", "idle", "processes", "map"},
         {{1795000000'000000000, State::measured, "", {{"per_second", 7}}, {}}}});
    std::string name = testing::TempDir() + "study_source_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~StudySource() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  Study study_;
  std::filesystem::path folder_;
};

TEST_F(StudySource, ReadsEachFormTheSame) {
  ASSERT_TRUE(StudyFile::create_or_resume((folder_ / kStudyFileName).string(), study_));
  write("a.json", study_json(study_));
  for (const auto& path : {folder_, folder_ / kStudyFileName, folder_ / "a.json"}) {
    const auto study = read_study(path);
    ASSERT_TRUE(study) << to_string(study.error());
    EXPECT_EQ(study_json(*study), study_json(study_));
  }
}

TEST_F(StudySource, SaysWhichFileIsWrong) {
  write("a.json", "[]");
  write("b.sqlite", "no database");
  EXPECT_THAT(read_study(folder_ / "a.json").error().message, HasSubstr("a.json"));
  EXPECT_THAT(read_study(folder_ / "b.sqlite").error().message, HasSubstr("b.sqlite"));
  EXPECT_EQ(read_study(folder_).error().code, base::Code::absent);
  EXPECT_EQ(read_study("/nowhere/at/all").error().code, base::Code::absent);
}

TEST_F(StudySource, SaysWhereItIsFrom) {
  EXPECT_EQ(origin_text(study_),
            "host kernel 6.18.44, QEMU 7.2.22, accelerator unknown, 2026-11-18");
  study_.cells.clear();
  EXPECT_THAT(origin_text(study_), HasSubstr("nothing run"));
}

}  // namespace
}  // namespace vitrine::survey
