#include "vitrine/vmm/agent_lines.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

std::string next(AgentLines& lines) {
  auto line = lines.next();
  if (!line) return "error";
  if (!*line) return "nothing";
  return ((*line)->marked ? "marked:" : "") + (*line)->text;
}

TEST(AgentLines, ComeHoweverTheyAreSplit) {
  AgentLines lines(100);
  for (const char c : std::string("{\"return\":1}\n\r\n{}\n")) lines.feed(std::string(1, c));
  EXPECT_EQ(next(lines), "{\"return\":1}");
  EXPECT_EQ(next(lines), "{}");
  EXPECT_EQ(next(lines), "nothing");
  EXPECT_TRUE(lines.empty());
  lines.feed("{");
  EXPECT_EQ(next(lines), "nothing");
  EXPECT_FALSE(lines.empty());
}

TEST(AgentLines, AMarkEndsWhatWasLeftOfAnOlderAnswer) {
  AgentLines lines(100);
  lines.feed("rest\"}}\xff{\"return\":7}\n{}\n");
  EXPECT_EQ(next(lines), "marked:{\"return\":7}");
  EXPECT_EQ(next(lines), "{}");
}

TEST(AgentLines, ALineThatIsTooLongIsReportedOnceAndLeftOut) {
  AgentLines lines(10);
  lines.feed(std::string(11, 'a'));
  EXPECT_EQ(next(lines), "error");
  EXPECT_FALSE(lines.empty());
  lines.feed(std::string(30, 'b'));
  EXPECT_EQ(next(lines), "nothing");
  lines.feed("c\nshort\n");
  EXPECT_EQ(next(lines), "short");
  lines.feed(std::string(11, 'a') + "\nnext\n");
  EXPECT_EQ(next(lines), "error");
  EXPECT_EQ(next(lines), "next");
}

}  // namespace
}  // namespace vitrine::vmm
