// `top` in a terminal of its own and without one, and `all`: what looks at many things at once.
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <regex>
#include <set>

#include "tests/live/guest_test.h"
#include "vitrine/views/registry.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

// A program in a terminal of 100 columns and 20 lines; killed at the end of its scope.
class InTerminal {
 public:
  explicit InTerminal(const std::vector<std::string>& command) {
    winsize size{.ws_row = 20, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ != 0) return;
    ::setenv("TERM", "xterm", 1);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  InTerminal(const InTerminal&) = delete;
  InTerminal& operator=(const InTerminal&) = delete;
  ~InTerminal() {
    if (pid_ > 0 && !status_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(terminal_);
  }

  void press(std::string_view keys) {
    seen_.clear();
    ASSERT_EQ(::write(terminal_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void signal(int number) const { ::kill(pid_, number); }

  // Whether the text comes within half a minute, since keys were pressed last.
  bool shows(const std::string& text) {
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    while (seen_.find(text) == std::string::npos && Clock::now() < deadline) take();
    return seen_.find(text) != std::string::npos;
  }

  // The exit status, at most half a minute later; -1 where it does not end.
  int ends() {
    const auto deadline = Clock::now() + std::chrono::seconds(30);
    while (Clock::now() < deadline) {
      take();
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) != pid_) continue;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      take();
      return *status_;
    }
    return -1;
  }

  const std::string& seen() const { return seen_; }

 private:
  void take() {
    pollfd descriptor{.fd = terminal_, .events = POLLIN, .revents = 0};
    std::array<char, 65536> bytes{};
    if (::poll(&descriptor, 1, 100) <= 0) return;
    const ssize_t count = ::read(terminal_, bytes.data(), bytes.size());
    if (count > 0) seen_.append(bytes.data(), static_cast<std::size_t>(count));
  }

  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string seen_;
  std::optional<int> status_;
};

constexpr const char* kLeaves = "\x1b[?25h\x1b[?1049l";  // the screen that was there before

class Top : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "top"});
    if (kernel_available("6.1"))
      guest().run(
          "cp /bin/busybox /tmp/busybox-busy && (/tmp/busybox-busy sh -c 'while :; do :; done' "
          ">/dev/null 2>&1 &) ; sleep 1");
  }
};

TEST_F(Top, WithoutATerminalPrintsOneScreenAfterTheOther) {
  const Finished seen = vitrine({"top", guest().name(), "--batch", "2", "--interval", "1"});
  ASSERT_EQ(seen.status, 0) << seen.errors;
  EXPECT_THAT(seen.output, Not(HasSubstr("\x1b")));
  const std::size_t second = seen.output.find("\ntop of top");
  ASSERT_NE(second, std::string::npos) << seen.output;
  // Its one busy process is the first of the list.
  std::smatch found;
  const std::string screen = seen.output.substr(second);
  const std::regex row("COMM[^\n]*\n *([0-9]+) +[0-9]+ +[A-Z] +1 +([0-9.]+) [^\n]* busybox-busy ");
  ASSERT_TRUE(std::regex_search(screen, found, row)) << screen;
  EXPECT_GT(std::stod(found[2]), 40) << screen;
  EXPECT_LT(std::stod(found[2]), 130) << screen;
  EXPECT_EQ(found[1].str() + "\n", guest().run("pidof busybox-busy"));
  EXPECT_THAT(screen, HasSubstr("of 1 processors"));
  EXPECT_THAT(screen, HasSubstr("Cost of looking"));
}

TEST_F(Top, InATerminalObeysItsKeys) {
  InTerminal top(vitrine_command({"top", guest().name(), "--no-cache", "--interval", "0.5"}));
  ASSERT_TRUE(top.shows("Cost of looking")) << top.seen();
  EXPECT_TRUE(top.shows("busy")) << top.seen();
  top.press("/guest_tool\r");
  EXPECT_TRUE(top.shows("Show: guest_tool")) << top.seen();
  top.press("h");
  EXPECT_TRUE(top.shows("sort by processor share")) << top.seen();
  top.press("H");
  top.press("H");
  EXPECT_TRUE(top.shows("Threads:")) << top.seen();
  top.press("q");
  EXPECT_EQ(top.ends(), 0);
  EXPECT_THAT(top.seen(), HasSubstr(kLeaves));
}

TEST_F(Top, GivesTheTerminalBackHoweverItEnds) {
  InTerminal interrupted(vitrine_command({"top", guest().name(), "--no-cache"}));
  ASSERT_TRUE(interrupted.shows("Cost of looking"));
  interrupted.press("\x03");
  EXPECT_EQ(interrupted.ends(), 0);
  EXPECT_THAT(interrupted.seen(), HasSubstr(kLeaves));
  InTerminal ended(vitrine_command({"top", guest().name(), "--no-cache"}));
  ASSERT_TRUE(ended.shows("Cost of looking"));
  ended.signal(SIGTERM);
  EXPECT_EQ(ended.ends(), 0);
  EXPECT_THAT(ended.seen(), HasSubstr(kLeaves));
}

TEST_F(Top, AllViewsAreOfOneObservation) {
  const Finished seen = vitrine({"all", guest().name(), "--pause", "vmm", "--json"});
  // What runs on a processor has no stack to be read.
  EXPECT_TRUE(seen.status == 0 || seen.status == 3) << seen.errors;
  const json all = json::parse(seen.output);
  EXPECT_GT(all.at("observation").at("stopped_ns"), 0);
  EXPECT_EQ(all.at("observation").at("consistency").at("atomic"), "proved");
  for (const views::Declaration& view : views::all())
    EXPECT_EQ(all.at("views").contains(view.name), view.of_the_moment) << view.name;
  std::set<int> processes;
  for (const json& row : all.at("views").at("processes").at("rows"))
    processes.insert(row.at("pid").get<int>());
  EXPECT_EQ(processes.count(1), 1U);
  for (const json& row : all.at("views").at("files").at("rows"))
    EXPECT_EQ(processes.count(row.at("pid").get<int>()), 1U) << row;
  EXPECT_GT(all.at("views").at("mounts").at("rows").size(), 3U);
  const Finished tables = vitrine({"all", guest().name()});
  EXPECT_THAT(tables.output, HasSubstr("mounts (vitrine mount)"));
  EXPECT_THAT(tables.output, HasSubstr("processes (vitrine ps)"));
}

}  // namespace
}  // namespace vitrine::live
