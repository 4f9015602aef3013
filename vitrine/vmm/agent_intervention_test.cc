#include "vitrine/vmm/agent_intervention.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "vitrine/base/base64.h"
#include "vitrine/vmm/testing/fake_agent.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::Json;
using testing::FakeAgent;
using ::testing::HasSubstr;

const AgentLimits kLimits{std::chrono::milliseconds(500), std::chrono::milliseconds(500), 1 << 16};

// A guest whose agent opens files and runs programs, and knows what was not released.
class FakeGuest {
 public:
  FakeGuest()
      : agent_(FakeAgent::synchronizing([this](const Json& request, const FakeAgent::Send& send) {
          send(answer(request["execute"], request["arguments"]));
          return true;
        })) {}

  std::unique_ptr<AgentIntervention> intervention() {
    return std::move(*AgentIntervention::begin(*GuestAgent::adopt(agent_.client(), kLimits)));
  }
  std::size_t left() {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }
  std::size_t begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  // Waits until something was begun and nothing is left of it.
  bool released() {
    for (int i = 0; i < 500; ++i) {
      if (begun() > 0 && left() == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::atomic<pid_t> kills = 0;     // killed when something is begun, before the answer is sent
  std::atomic<int> still_runs = 0;  // so often a program is said not to have ended
  std::atomic<bool> truncated = false;

 private:
  std::string answer(const std::string& command, const Json& arguments) {
    const std::lock_guard lock(mutex_);
    if (command == "guest-file-open" || command == "guest-exec") {
      if (arguments["path"] == "/none")
        return FakeAgent::refused("failed to open file '/none': No such file or directory");
      if (arguments["path"] == "/secret")
        return FakeAgent::refused("failed to open file '/secret': Permission denied");
      ++begun_;
      open_.insert(++number_);
      if (kills != 0) ::kill(kills, SIGKILL);
      return FakeAgent::returned(command == "guest-exec" ? Json{{"pid", number_}} : Json(number_));
    }
    if (command == "guest-file-close") {
      if (open_.erase(arguments["handle"].get<int>()) == 0)
        return FakeAgent::refused("handle not found");
      return FakeAgent::returned(Json::object());
    }
    if (still_runs-- > 0) return FakeAgent::returned({{"exited", false}});
    open_.erase(arguments["pid"].get<int>());
    return FakeAgent::returned({{"exited", true},
                                {"exitcode", 3},
                                {"out-truncated", truncated.load()},
                                {"out-data", base::encode_base64("said")}});
  }

  std::mutex mutex_;
  std::set<int> open_;
  std::size_t begun_ = 0;
  int number_ = 1000;
  FakeAgent agent_;
};

// Runs `work` in a process of its own, which never ends by itself.
template <class Work>
pid_t in_child(const Work& work) {
  const pid_t child = fork();
  if (child != 0) return child;
  work();
  while (true) pause();
}

void end(pid_t child) {
  kill(child, SIGKILL);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

TEST(AgentIntervention, ClosesWhatItOpened) {
  FakeGuest guest;
  auto intervention = guest.intervention();
  const auto handle = intervention->open("/proc/kcore");
  ASSERT_TRUE(handle);
  ASSERT_TRUE(intervention->open("/proc/version"));
  EXPECT_EQ(guest.left(), 2u);
  EXPECT_TRUE(intervention->close(*handle));
  EXPECT_EQ(guest.left(), 1u);
  intervention.reset();
  EXPECT_EQ(guest.left(), 0u);
}

TEST(AgentIntervention, RunsAProgram) {
  FakeGuest guest;
  guest.still_runs = 3;
  auto intervention = guest.intervention();
  const auto output = intervention->run("/bin/sh", {}, std::chrono::seconds(5));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->written, "said");
  EXPECT_EQ(output->status, 3);
  EXPECT_EQ(guest.left(), 0u);
}

TEST(AgentIntervention, AProgramThatWritesTooMuchOrNeverEndsIsAnError) {
  FakeGuest guest;
  guest.truncated = true;
  auto intervention = guest.intervention();
  EXPECT_EQ(intervention->run("/bin/sh", {}, std::chrono::seconds(5)).error().code,
            Code::unsupported);
  guest.still_runs = 10;
  EXPECT_EQ(intervention->run("/bin/sh", {}, std::chrono::milliseconds(10)).error().code,
            Code::timeout);
  EXPECT_EQ(guest.left(), 1u);
  intervention.reset();
  EXPECT_EQ(guest.left(), 0u) << "is asked for until it has ended";
}

TEST(AgentIntervention, TellsTheGuestKernelsRefusalsApart) {
  FakeGuest guest;
  auto intervention = guest.intervention();
  EXPECT_EQ(intervention->open("/none").error().code, Code::absent);
  EXPECT_EQ(intervention->open("/secret").error().code, Code::denied);
  EXPECT_EQ(guest.begun(), 0u);
}

TEST(AgentIntervention, TheGuardianClosesWhatAKilledProcessOpened) {
  FakeGuest guest;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = in_child([&] {
    auto* intervention = guest.intervention().release();
    if (intervention->open("/a") && intervention->open("/b")) (void)!::write(pipe[1], "x", 1);
  });
  char byte = 0;
  ASSERT_EQ(::read(pipe[0], &byte, 1), 1);
  EXPECT_EQ(guest.left(), 2u);
  end(child);
  EXPECT_TRUE(guest.released());
}

TEST(AgentIntervention, TheGuardianClosesWhatWasJustBeingOpened) {
  for (const bool program : {false, true}) {
    FakeGuest guest;
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = in_child([&] {
      auto* intervention = guest.intervention().release();
      char byte = 0;
      (void)!::read(pipe[0], &byte, 1);
      if (program)
        (void)intervention->run("/bin/sh", {}, std::chrono::seconds(5));
      else
        (void)intervention->open("/a");
    });
    guest.kills = child;
    ASSERT_EQ(::write(pipe[1], "x", 1), 1);
    EXPECT_TRUE(guest.released()) << program;
    end(child);
  }
}

}  // namespace
}  // namespace vitrine::vmm
