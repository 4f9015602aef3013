#include "vitrine/views/registry.h"

#include <gtest/gtest.h>

#include <set>

namespace vitrine::views {
namespace {

TEST(ViewRegistry, FindsEveryViewByNameAndVerb) {
  std::set<std::string_view> names;
  for (const Declaration& view : all()) {
    EXPECT_TRUE(names.insert(view.name).second) << view.name;
    EXPECT_TRUE(names.insert(view.verb).second) << view.verb;
    EXPECT_EQ(find(view.name).value(), &view);
    EXPECT_EQ(find(view.verb).value(), &view);
    std::set<std::string_view> columns;
    for (const Column& column : view.columns) {
      EXPECT_TRUE(columns.insert(column.name).second) << column.name;
      EXPECT_FALSE(column.description.empty()) << column.name;
    }
  }
}

TEST(ViewRegistry, NamesTheVerbsThereAre) {
  const auto found = find("sp");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, base::Code::invalid);
  EXPECT_NE(found.error().remedy.find("ps"), std::string::npos);
}

}  // namespace
}  // namespace vitrine::views
