// The view `log` (dmesg) against the guest's own dmesg.
#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/subprocess.h"
#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// In JSON, a backslash of the guest's is two.
std::string unescaped(std::string text) {
  for (std::size_t at = text.find("\\\\"); at != std::string::npos; at = text.find("\\\\", at + 1))
    text.erase(at, 1);
  return text;
}

// As dmesg prints them.
std::vector<std::string> lines_of(const json& rows) {
  std::vector<std::string> lines;
  for (const json& row : rows) {
    const auto time = row.at("time_ns").get<std::uint64_t>();
    for (const std::string& line : lines_of(unescaped(row.at("text").get<std::string>()) + "\n"))
      lines.push_back(
          fmt::format("[{:5}.{:06}] {}", time / 1'000'000'000, time / 1000 % 1'000'000, line));
  }
  return lines;
}

// The record with this text.
json record_of(const json& rows, const std::string& text) {
  for (const json& row : rows)
    if (row.at("text") == text) return row;
  return {};
}

class LogTest : public ViewTest {};

TEST_P(LogTest, IsWhatTheGuestsOwnDmesgShows) {
  Guest& guest = this->guest();
  guest.run("echo '<3>a mark of ours' >/dev/kmsg; printf '<30>two\\nlines\\n' >/dev/kmsg");
  const std::vector<std::string> own = lines_of(guest.run("dmesg"));
  const json rows = vitrine_json({"dmesg", guest.name()}).at("rows");
  const std::vector<std::string> ours = lines_of(rows);
  ASSERT_GT(own.size(), 100U);
  ASSERT_GE(ours.size(), own.size()) << "more may have been logged since";
  for (std::size_t i = 0; i < own.size(); ++i) ASSERT_EQ(ours[i], own[i]) << i;
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].at("seq"), i);
  const json mark = record_of(rows, "a mark of ours");
  ASSERT_TRUE(mark.is_object());
  EXPECT_EQ(mark.at("level"), "err");
  EXPECT_EQ(mark.at("priority"), 3);
  EXPECT_EQ(mark.at("facility"), "user");
  EXPECT_THAT(mark.at("caller").get<std::string>(), testing::StartsWith("T"));
  EXPECT_EQ(record_of(rows, "two\nlines").at("facility"), "daemon");
  // Devices say which they are.
  EXPECT_TRUE(std::ranges::any_of(rows, [](const json& row) {
    return row.at("subsystem") == "pci" && row.at("device").get<std::string>().starts_with("+pci:");
  }));
  for (const char* technique : {"process-vm", "fork"}) {
    const json same = vitrine_json({"dmesg", guest.name(), "--technique", technique}).at("rows");
    ASSERT_GE(same.size(), rows.size()) << technique;
    for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(same[i], rows[i]) << technique;
  }
}

INSTANTIATE_TEST_SUITE_P(Debian, LogTest, testing::Values("5.10", "6.1", "6.12", "7", "6.1-arm64"),
                         linux_name);

class Log : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "log-of"}); }
};

// A guest that cleared its log for dmesg(1) has not lost it.
TEST_F(Log, IsShownThoughItWasCleared) {
  guest().run("dmesg -c >/dev/null; echo after >/dev/kmsg");
  EXPECT_EQ(lines_of(guest().run("dmesg")).size(), 1U);
  const Finished shown = vitrine({"dmesg", guest().name()});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  EXPECT_THAT(shown.output, HasSubstr("Linux version"));
  EXPECT_THAT(shown.output, HasSubstr("after"));
}

TEST_F(Log, EscapesWhatWouldSteerATerminal) {
  guest().run("printf '\\033[31mred\\n' >/dev/kmsg");
  const Finished shown = vitrine({"dmesg", guest().name(), "--where", "text ~ '*red*'"});
  EXPECT_EQ(shown.output.find('\033'), std::string::npos);
  EXPECT_THAT(shown.output, HasSubstr("[31mred"));
}

TEST_F(Log, IsFollowed) {
  const TemporaryFolder files;
  Subprocess tool(vitrine_command({"dmesg", guest().name(), "--follow", "--watch", "0.2"}),
                  files.path() / "out", files.path() / "err");
  const auto shown = [&files](const std::string& text) {
    std::size_t count = 0;
    const std::string all = read_file(files.path() / "out");
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1))
      ++count;
    return count;
  };
  const auto wait_for = [&shown](const std::string& text) {
    for (int i = 0; i < 100 && shown(text) == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
  };
  wait_for("Linux version");
  guest().run("echo first of two >/dev/kmsg");
  wait_for("first of two");
  guest().run("echo second of two >/dev/kmsg");
  wait_for("second of two");
  tool.kill();
  for (const char* once : {"Linux version", "first of two", "second of two", "CALLER"})
    EXPECT_EQ(shown(once), 1U) << once << read_file(files.path() / "err");
}

// Last of the suite: the guest does nothing any more.
TEST_F(Log, TellsWhyAGuestPanicked) {
  guest().run("(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &");
  std::string output;
  for (int i = 0; i < 100 && output.find("Kernel panic") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    output = vitrine({"dmesg", guest().name(), "--where", "priority <= 1"}).output;
  }
  EXPECT_THAT(output, HasSubstr("Kernel panic - not syncing: sysrq triggered crash"));
  const json rows = vitrine_json({"ps", guest().name(), "--where", "comm = sh"}).at("rows");
  EXPECT_FALSE(rows.empty());
}

}  // namespace
}  // namespace vitrine::live
