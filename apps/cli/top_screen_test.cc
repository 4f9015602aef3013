#include "apps/cli/top_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/character.h"
#include "apps/cli/column_index.h"

namespace vitrine::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Name = Key::Name;

TopProcess process(std::int64_t pid, const std::string& comm, double share, std::uint64_t rss,
                   std::int64_t parent = 1) {
  TopProcess made{.row = {}, .share = share, .run_ns = 1'000'000'000, .rss_bytes = rss, .pid = pid};
  made.row.values.resize(top_columns().size());
  const auto set = [&made](std::string_view column, views::Value value) {
    made.row.values[index_of(top_columns(), column)] = std::move(value);
  };
  set("pid", pid);
  set("tgid", pid);
  set("ppid", parent);
  set("state", std::string("S"));
  set("rss_bytes", rss);
  set("comm", comm);
  return made;
}

TopSample top_sample() {
  TopSample made;
  made.processes = {process(1, "init", 0, 100, 0), process(2, "busy", 90, 10),
                    process(3, "large", 10, 9000, 2)};
  made.states = {{'S', 2}, {'R', 1}};
  made.vm = "machine";
  made.technique = "map";
  made.system.load = {{0.5, 1.25, 2}};
  return made;
}

class TopScreenTest : public testing::Test {
 protected:
  // The names in the order they are shown.
  std::string shown(std::size_t height = 0) {
    text_ = screen_.render(sample_,
                           {.cursor = true, .width = height == 0 ? 0U : 80U, .height = height});
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const std::string name : {"init", "busy", "large"})
      if (const auto at = text_.find(name); at != std::string::npos) found.emplace_back(at, name);
    std::ranges::sort(found);
    std::string names;
    for (const auto& [at, name] : found) names += (names.empty() ? "" : " ") + name;
    return names;
  }
  void press(std::string_view characters) {
    for (const char character : characters) screen_.press({Name::character, character});
  }

  TopScreen screen_;
  TopSample sample_ = top_sample();
  std::string text_;
};

TEST_F(TopScreenTest, SortsByWhatIsAsked) {
  EXPECT_EQ(shown(), "busy large init");
  press("M");
  EXPECT_EQ(shown(), "large init busy");
  press("N");
  EXPECT_EQ(shown(), "init busy large");
  press("t");
  EXPECT_EQ(shown(), "init busy large");
  EXPECT_THAT(text_, HasSubstr("    large")) << "below its parent's parent";
  press("P");
  EXPECT_EQ(shown(), "busy large init");
  EXPECT_THAT(text_, HasSubstr("load 0.50, 1.25, 2.00"));
}

TEST_F(TopScreenTest, ShowsWhatTheFilterLetsPass) {
  press("/lar");
  EXPECT_EQ(shown(), "large");
  EXPECT_THAT(text_, HasSubstr("Show: lar_"));
  press("q");
  EXPECT_EQ(shown(), "") << "letters belong to the filter";
  screen_.press({Name::backspace});
  screen_.press({Name::enter});
  EXPECT_EQ(shown(), "large");
  EXPECT_EQ(screen_.press({Name::escape}), TopScreen::Effect::redraw);
  EXPECT_EQ(shown(), "busy large init");
}

TEST_F(TopScreenTest, KeepsWithinTheTerminal) {
  sample_.vm = std::string(200, 'x');
  for (int i = 10; i < 100; ++i) sample_.processes.push_back(process(i, "many", 0, 0));
  shown(12);
  EXPECT_EQ(std::ranges::count(text_, '\n'), 11);
  for (std::size_t at = 0; at < text_.size();) {
    const std::size_t end = text_.find('\n', at);
    EXPECT_LE(columns_of(std::string_view(text_).substr(at, end - at)), 80U);
    at = end + 1;
  }
  screen_.press({Name::end});
  EXPECT_EQ(shown(12), "");
  EXPECT_THAT(text_, HasSubstr("99"));
  screen_.press({Name::home});
  screen_.press({Name::down});
  EXPECT_EQ(shown(12), "large init");
  screen_.press({Name::page_up});
  EXPECT_EQ(shown(12), "busy large init");
}

TEST_F(TopScreenTest, HasNothingOfTheGuestThatCommandsATerminal) {
  sample_.processes.push_back(process(9, "bad\x1b[2J\n", 100, 0));
  sample_.vm = "vm\x1b]0;x";
  shown(20);
  EXPECT_THAT(text_, Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(text_, Not(HasSubstr("\x1b]")));
  EXPECT_THAT(text_, HasSubstr("bad\\x1b[2J\\n"));
}

TEST_F(TopScreenTest, TellsWhatItsKeysDo) {
  using Effect = TopScreen::Effect;
  press("h");
  shown();
  EXPECT_THAT(text_, HasSubstr("q  quit"));
  press("x");
  EXPECT_EQ(shown(), "busy large init");
  EXPECT_EQ(screen_.press({Name::character, 'H'}), Effect::collect_anew);
  EXPECT_TRUE(screen_.threads());
  EXPECT_EQ(screen_.press({Name::character, 'q'}), Effect::quit);
  EXPECT_EQ(screen_.press({Name::interrupt}), Effect::quit);
  EXPECT_EQ(screen_.press({Name::resized}), Effect::redraw);
  EXPECT_EQ(screen_.press({Name::character, 'Z'}), Effect::none);
}

}  // namespace
}  // namespace vitrine::cli
