// Images opened with crash and the kernel's debug symbols, which share nothing with how Vitrine
// knows the kernel: the same tasks, the same release, the same log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;

// By pid, with the name.
using Names = std::map<int, std::string>;

// crash 8.0.2 lists no task of this kernel by itself, not even of what QEMU dumps, so it is told to
// follow the list.
constexpr const char* kCommands =
    "list task_struct.tasks -s task_struct.tgid,comm -h init_task\nsys\nlog\nquit\n";

// Up to what one of the two does not print as it is.
std::string plain(const std::string& name) {
  return {name.begin(), std::ranges::find_if(name, [](char c) { return c == '\\' || c < ' '; })};
}

// Of lines like `  tgid = 1,` and `  comm = "sh\000\000",`.
Names names_of(const std::string& listing) {
  Names names;
  int pid = 0;
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  tgid = ")) pid = std::stoi(line.substr(9));
    if (!line.starts_with("  comm = \"")) continue;
    const std::string comm = line.substr(10);
    names.emplace(pid, plain(comm.substr(0, comm.find('"'))));
  }
  return names;
}

// What the two do not have alike.
Names differing(const Names& left, const Names& right) {
  Names result;
  std::ranges::set_symmetric_difference(left, right, std::inserter(result, result.end()));
  return result;
}

class CrashTest : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "crash", .memory = "256M"}); }

  void SetUp() override {
    GuestTest::SetUp();
    if (!fs::exists(symbols())) GTEST_SKIP() << "SKIPPED: guest kernel 6.1's debug symbols";
  }

  static fs::path symbols() { return guest_assets() / "vmlinux-6.1"; }
};

TEST_F(CrashTest, ShowsTheGuestThatWasSaved) {
  const TemporaryFolder folder;
  const fs::path commands = folder.path() / "commands";
  std::ofstream(commands) << kCommands;
  Names expected{{0, "swapper/0"}};
  const auto listed = vitrine_json({"ps", "crash", "--columns", "pid,comm"});
  for (const auto& row : listed["rows"]) expected.emplace(row["pid"], plain(row["comm"]));
  ASSERT_GT(expected.size(), 50U);
  guest().run("echo said-to-the-kernel > /dev/kmsg");

  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--format", "elf"},
                                             {"--format", "kdump"},
                                             {"--format", "kdump", "--skip", "free,zero,cache"},
                                             {"--format", "elf", "--technique", "fork"}}) {
    const std::string image = (folder.path() / "image").string();
    std::vector<std::string> arguments{"snapshot", "crash", "-o", image, "--force"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Finished saved = vitrine(arguments, std::chrono::minutes(2));
    ASSERT_EQ(saved.status, 0) << saved.errors;
    const Finished shown = run({"crash", "-s", "-i", commands.string(), symbols().string(), image},
                               std::chrono::minutes(2));
    SCOPED_TRACE(testing::PrintToString(options) + shown.errors);
    EXPECT_THAT(differing(names_of(shown.output), expected), testing::IsEmpty());
    EXPECT_THAT(shown.output, testing::HasSubstr("said-to-the-kernel"));
    EXPECT_THAT(shown.output, testing::ContainsRegex("RELEASE: 6\\.1\\.0-"));
  }
}

}  // namespace
}  // namespace vitrine::live
