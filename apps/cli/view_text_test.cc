#include "apps/cli/view_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace vitrine::cli {
namespace {

TEST(ViewText, TheDocumentationIsWhatTheViewsDeclare) {
  std::ifstream file(VITRINE_VIEWS);
  const std::string written{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(written, views_markdown(views::all())) << "vitrine views --markdown > docs/views.md";
}

TEST(ViewText, HasARowForEachColumn) {
  std::size_t columns = 0;
  for (const views::Declaration& view : views::all()) columns += view.columns.size();
  EXPECT_EQ(rows_of(views::all()).size(), columns);
}

}  // namespace
}  // namespace vitrine::cli
