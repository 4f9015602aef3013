// Text written in blocks.
#include "vitrine/images/text_output.h"

#include <gtest/gtest.h>

namespace vitrine::images {
namespace {

TEST(TextOutput, WritesAllOfItInItsOrder) {
  std::string text;
  std::size_t blocks = 0;
  TextOutput output([&](std::string_view block) {
    text += block;
    ++blocks;
    return base::Result<void>();
  });
  std::string expected;
  for (int i = 0; i < 100'000; ++i) {
    output.put(std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(output.finish().value(), expected.size());
  EXPECT_TRUE(text == expected);
  EXPECT_LT(blocks, 10U);
}

TEST(TextOutput, StopsWhereTheSinkFailsOrItIsTooMuch) {
  std::size_t blocks = 0;
  TextOutput full([&](std::string_view) -> base::Result<void> {
    ++blocks;
    return base::fail(base::Code::unreadable, "no space left");
  });
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 3; ++i) full.put(piece);
  EXPECT_TRUE(full.failed());
  EXPECT_EQ(full.finish().error().message, "no space left");
  EXPECT_EQ(blocks, 1U);

  TextOutput endless([](std::string_view) { return base::Result<void>(); });
  for (std::uint64_t i = 0; i <= TextOutput::max_bytes / piece.size(); ++i) endless.put(piece);
  EXPECT_EQ(endless.finish().error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::images
