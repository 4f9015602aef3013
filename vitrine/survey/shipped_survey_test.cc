#include "vitrine/survey/shipped_survey.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "vitrine/survey/study_from_json.h"
#include "vitrine/survey/typical.h"

namespace vitrine::survey {
namespace {

TEST(ShippedSurvey, CanBeReadAndWasMeasuredWhereThereIsOne) {
  if (shipped_survey().empty()) GTEST_SKIP() << "this build has no survey to ship";
  const auto study = study_from_json(shipped_survey());
  ASSERT_TRUE(study) << to_string(study.error());
  EXPECT_TRUE(std::ranges::any_of(study->cells, was_measured));
  for (const char* fact : {"host_kernel", "qemu_version", "accelerator"})
    EXPECT_TRUE(study->facts.contains(fact)) << fact;
}

}  // namespace
}  // namespace vitrine::survey
