#include "vitrine/survey/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/survey/page_template.h"
#include "vitrine/survey/report_data.h"

namespace vitrine::survey {
namespace {

// tests/page looks at it in a browser.
TEST(Report, IsOnePageWithTheDataInItsPlace) {
  if (page_template().empty()) GTEST_SKIP() << "built without the report's page";
  Study study;
  study.guests = {{"@DATA@ </script>", "", 0, 0, 0}};
  const auto page = report_page(study);
  ASSERT_TRUE(page) << base::to_string(page.error());
  EXPECT_THAT(*page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(*page, testing::EndsWith("</html>\n"));
  EXPECT_THAT(*page, testing::HasSubstr("id=\"data\">" + report_data(study) + "</script>"));
  EXPECT_EQ(page->size(), page_template().size() - kPlaceOfData.size() + report_data(study).size());
}

TEST(Report, SaysHowToHaveItWhereItWasNotBuilt) {
  if (!page_template().empty()) GTEST_SKIP() << "built with the report's page";
  const auto page = report_page({});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, base::Code::unsupported);
  EXPECT_THAT(page.error().remedy, testing::HasSubstr("VITRINE_PAGE"));
}

}  // namespace
}  // namespace vitrine::survey
