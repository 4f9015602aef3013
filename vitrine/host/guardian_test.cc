#include "vitrine/host/guardian.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <string>

namespace vitrine::host {
namespace {

constexpr std::chrono::milliseconds kPatience{200};

// What a step writes: "DESCRIPTOR TEXT" writes TEXT to DESCRIPTOR.
bool write_text(std::string_view argument) {
  int descriptor = -1;
  const auto [end, error] =
      std::from_chars(argument.data(), argument.data() + argument.size(), descriptor);
  if (error != std::errc()) return true;
  const std::string_view text =
      argument.substr(static_cast<std::size_t>(end - argument.data()) + 1);
  return write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool never_done(std::string_view) { return false; }

class GuardianTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe2(pipe_.data(), O_CLOEXEC), 0); }
  void TearDown() override {
    close(pipe_[0]);
    if (pipe_[1] >= 0) close(pipe_[1]);
  }

  std::string argument(const std::string& text) const {
    return std::to_string(pipe_[1]) + " " + text;
  }

  // All that is written until nobody holds the writing end any more: the guardian included.
  std::string written() {
    close(pipe_[1]);
    pipe_[1] = -1;
    std::string all;
    std::array<char, 256> bytes{};
    pollfd ready{pipe_[0], POLLIN, 0};
    while (poll(&ready, 1, 5000) == 1) {
      const ssize_t got = read(pipe_[0], bytes.data(), bytes.size());
      if (got <= 0) return all;
      all.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return all + "[nobody closed the pipe]";
  }

  // Runs `work` in a process of its own, which then dies by `signal_number`.
  template <class Work>
  void die_after(Work work, int signal_number) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      work();
      raise(signal_number);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  std::array<int, 2> pipe_{-1, -1};
};

TEST_F(GuardianTest, UndoesWhatIsNotedWhenTheProcessIsKilledNewestFirst) {
  die_after(
      [this] {
        auto guardian = Guardian::start(std::span(&pipe_[1], 1));
        if (!guardian) return;
        (void)(*guardian)->note(&write_text, argument("first "));
        (void)(*guardian)->note(&write_text, argument("second "));
        (void)guardian->release();  // as if this process had no time to tidy up
      },
      SIGKILL);
  EXPECT_EQ(written(), "second first ");
}

TEST_F(GuardianTest, UndoesNothingTwice) {
  die_after(
      [this] {
        auto guardian = Guardian::start(std::span(&pipe_[1], 1));
        if (!guardian) return;
        const auto noted = (*guardian)->note(&write_text, argument("once "));
        if (noted) (void)(*guardian)->run(*noted, kPatience);
        (void)guardian->release();
      },
      SIGKILL);
  EXPECT_EQ(written(), "once ");
}

TEST_F(GuardianTest, EndsWithItsOwnerAndLeavesNoZombie) {
  {
    auto guardian = Guardian::start(std::span(&pipe_[1], 1));
    ASSERT_TRUE(guardian);
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child was left";
  }
  EXPECT_EQ(written(), "");
}

TEST_F(GuardianTest, IgnoresWhatInterruptsTheWholeGroup) {
  die_after(
      [this] {
        setpgid(0, 0);
        auto guardian = Guardian::start(std::span(&pipe_[1], 1));
        if (!guardian) return;
        (void)(*guardian)->note(&write_text, argument("undone"));
        (void)guardian->release();
        kill(0, SIGTERM);
      },
      SIGKILL);
  EXPECT_EQ(written(), "undone");
}

TEST_F(GuardianTest, GivesUpAStepThatIsNeverDoneAndKeepsItNoted) {
  auto guardian = Guardian::start({});
  ASSERT_TRUE(guardian);
  const auto noted = (*guardian)->note(&never_done, "");
  ASSERT_TRUE(noted);
  const auto run = (*guardian)->run(*noted, std::chrono::milliseconds(30));
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, base::Code::timeout);
  (*guardian)->forget(*noted);
  EXPECT_TRUE((*guardian)->run(*noted, kPatience));
}

TEST_F(GuardianTest, RefusesAnArgumentThatIsTooLongAndTooManySteps) {
  auto guardian = Guardian::start({});
  ASSERT_TRUE(guardian);
  EXPECT_FALSE((*guardian)->note(&never_done, std::string(Guardian::kMaximumArgument + 1, 'x')));
  std::vector<std::size_t> noted;
  for (std::size_t i = 0; i < Guardian::kMaximumSteps; ++i)
    noted.push_back((*guardian)->note(&never_done, "").value());
  EXPECT_FALSE((*guardian)->note(&never_done, ""));
  for (const std::size_t entry : noted) (*guardian)->forget(entry);
}

}  // namespace
}  // namespace vitrine::host
