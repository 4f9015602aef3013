#include "vitrine/host/freezer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <tuple>

#include "vitrine/host/testing/busy_process.h"

namespace vitrine::host {
namespace {

using base::Code;
using std::chrono::milliseconds;
using testing::BusyProcess;

// Whether nobody traces any of the threads, waiting at most 5 s.
bool nobody_traces(pid_t pid) {
  const auto traced = [pid](pid_t thread) {
    const auto status = read_file(ProcRoot().of(pid, "task/" + std::to_string(thread) + "/status"));
    return status && status_number(*status, "TracerPid").value_or(0) != 0;
  };
  for (int i = 0; i < 500; ++i) {
    if (std::ranges::none_of(threads(pid), traced)) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(Freezer, AllThreadsStandStillUntilTheyAreLetGo) {
  BusyProcess busy;
  auto freezer = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(freezer) << to_string(freezer.error());
  EXPECT_TRUE(busy.goes_on());
  for (int i = 0; i < 20; ++i) {
    const auto frozen = freezer->freeze();
    ASSERT_TRUE(frozen) << to_string(frozen.error());
    EXPECT_TRUE(frozen->empty());
    EXPECT_TRUE(busy.stands_still());
    const auto thawed = freezer->thaw();
    ASSERT_TRUE(thawed) << to_string(thawed.error());
    EXPECT_GT(*thawed, 19'000'000U);
    EXPECT_TRUE(busy.goes_on());
  }
  EXPECT_TRUE(nobody_traces(busy.pid()));
}

TEST(Freezer, ThreadsThatAreStartedMeanwhileStandStillToo) {
  BusyProcess busy([](auto&) {
    std::thread([] {
      while (true) std::thread([] {}).join();
    }).detach();
  });
  auto freezer = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(freezer);
  for (int i = 0; i < 50; ++i) {
    const auto frozen = freezer->freeze();
    ASSERT_TRUE(frozen) << to_string(frozen.error());
    const auto before = threads(busy.pid());
    EXPECT_EQ(threads(busy.pid()), before);
    ASSERT_TRUE(freezer->thaw());
  }
  EXPECT_TRUE(busy.goes_on());
}

TEST(Freezer, SignalsThatArriveMeanwhileAreDeliveredAfterwards) {
  BusyProcess busy;
  auto freezer = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(freezer);
  constexpr int kRounds = 200;
  for (int i = 0; i < kRounds; ++i) {
    // Before, so that it may interrupt the stopping, or while it stands still.
    if (i % 2 == 0) kill(busy.pid(), SIGUSR1);
    ASSERT_TRUE(freezer->freeze());
    if (i % 2 != 0) kill(busy.pid(), SIGUSR1);
    ASSERT_TRUE(freezer->thaw());
    for (int k = 0; k < 500 && busy.counters().signals <= i; ++k)
      std::this_thread::sleep_for(milliseconds(1));
    ASSERT_EQ(busy.counters().signals, i + 1);
  }
}

TEST(Freezer, AProcessThatWasStoppedStaysStopped) {
  BusyProcess busy;
  kill(busy.pid(), SIGSTOP);
  ASSERT_EQ(waitpid(busy.pid(), nullptr, WUNTRACED), busy.pid());
  {
    auto freezer = Freezer::start(identify(busy.pid()).value());
    ASSERT_TRUE(freezer);
    ASSERT_TRUE(freezer->freeze());
    ASSERT_TRUE(freezer->thaw());
    EXPECT_TRUE(busy.stands_still());
    ASSERT_TRUE(freezer->freeze());
  }
  ASSERT_TRUE(nobody_traces(busy.pid()));
  EXPECT_TRUE(busy.stands_still());
  kill(busy.pid(), SIGCONT);
  EXPECT_TRUE(busy.goes_on());
}

TEST(Freezer, WhoeverFrozeItMayBeKilled) {
  BusyProcess busy;
  std::array<int, 2> told{};
  ASSERT_EQ(pipe(told.data()), 0);
  const pid_t tool = fork();
  if (tool == 0) {
    auto freezer = Freezer::start(identify(busy.pid()).value());
    const char done = freezer && freezer->freeze() ? 'y' : 'n';
    std::ignore = write(told[1], &done, 1);
    pause();
    _exit(0);
  }
  char done = 0;
  ASSERT_EQ(read(told[0], &done, 1), 1);
  EXPECT_EQ(done, 'y');
  EXPECT_TRUE(busy.stands_still());
  kill(tool, SIGKILL);
  waitpid(tool, nullptr, 0);
  EXPECT_TRUE(busy.goes_on());
  EXPECT_TRUE(nobody_traces(busy.pid()));
}

// Nothing may keep its parent from waiting for it once it is let go.
TEST(Freezer, AProcessThatIsKilledWhileItStandsStillCanBeWaitedFor) {
  for (int i = 0; i < 20; ++i) {
    BusyProcess busy;
    auto freezer = Freezer::start(identify(busy.pid()).value());
    ASSERT_TRUE(freezer);
    ASSERT_TRUE(freezer->freeze());
    kill(busy.pid(), SIGKILL);
    std::ignore = freezer->thaw();
    EXPECT_TRUE(busy.ended());
  }
}

// Somebody else has one of its threads: the others must not be kept.
TEST(Freezer, WhatItCannotFreezeWhollyItDoesNotTouch) {
  BusyProcess busy;
  const std::vector<pid_t> all = threads(busy.pid());
  ASSERT_GT(all.size(), 2U);
  ASSERT_EQ(ptrace(PTRACE_SEIZE, all.back(), 0, 0), 0);
  auto freezer = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(freezer);
  const auto frozen = freezer->freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code, Code::denied);
  EXPECT_TRUE(busy.goes_on());
  ptrace(PTRACE_INTERRUPT, all.back(), 0, 0);
  waitpid(all.back(), nullptr, __WALL);
  ptrace(PTRACE_DETACH, all.back(), 0, 0);
  EXPECT_TRUE(nobody_traces(busy.pid()));
  kill(busy.pid(), SIGUSR1);
  EXPECT_TRUE(busy.goes_on());
}

TEST(Freezer, AFreezeThatLastsTooLongEndsByItself) {
  BusyProcess busy;
  auto freezer = Freezer::start(identify(busy.pid()).value(), {.frozen = milliseconds(100)});
  ASSERT_TRUE(freezer);
  ASSERT_TRUE(freezer->freeze());
  EXPECT_TRUE(busy.goes_on());
  const auto thawed = freezer->thaw();
  ASSERT_FALSE(thawed);
  EXPECT_EQ(thawed.error().code, Code::timeout);
  EXPECT_FALSE(thawed.error().remedy.empty());
  // And it can be frozen again.
  EXPECT_TRUE(freezer->freeze());
  EXPECT_TRUE(busy.stands_still());
}

TEST(Freezer, AProcessThatADebuggerHoldsIsDenied) {
  BusyProcess busy;
  const pid_t debugger = fork();
  if (debugger == 0) {
    ptrace(PTRACE_SEIZE, busy.pid(), 0L, 0L);
    pause();
    _exit(0);
  }
  const auto held = [&busy] {
    return status_number(read_file(ProcRoot().of(busy.pid(), "status")).value_or(""),
                         "TracerPid") != 0U;
  };
  for (int i = 0; i < 500 && !held(); ++i) std::this_thread::sleep_for(milliseconds(10));
  auto freezer = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(freezer);
  const auto frozen = freezer->freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code, Code::denied);
  EXPECT_NE(frozen.error().message.find(std::to_string(debugger)), std::string::npos);
  kill(debugger, SIGKILL);
  waitpid(debugger, nullptr, 0);
  EXPECT_FALSE(freezer->freeze());
  auto another = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(another);
  EXPECT_TRUE(another->freeze());
}

TEST(Freezer, WaitsForAnotherOne) {
  BusyProcess busy;
  auto first = Freezer::start(identify(busy.pid()).value());
  auto second = Freezer::start(identify(busy.pid()).value());
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->freeze());
  std::thread later([&first] {
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_TRUE(first->thaw());
  });
  const auto frozen = second->freeze();
  EXPECT_TRUE(frozen) << to_string(frozen.error());
  later.join();
  EXPECT_TRUE(busy.stands_still());
}

TEST(Freezer, AProcessThatEndedIsGone) {
  BusyProcess busy;
  const ProcessIdentity process = identify(busy.pid()).value();
  auto freezer = Freezer::start(process);
  ASSERT_TRUE(freezer);
  // Killed while it stands still, it ends all the same.
  ASSERT_TRUE(freezer->freeze());
  kill(busy.pid(), SIGKILL);
  EXPECT_TRUE(busy.ended());
  EXPECT_TRUE(freezer->thaw());
  const auto frozen = freezer->freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code, Code::gone);
}

// A thread that waits in an uninterruptible sleep: its child, made by vfork, does not go on.
TEST(Freezer, AThreadThatCannotBeStoppedIsATimeoutAndTheRestGoesOn) {
  BusyProcess busy([](auto&) {
    std::thread([] {
      if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
        _exit(0);
      }
    }).detach();
  });
  // vfork waits killably, which ptrace cannot interrupt.
  auto freezer = Freezer::start(identify(busy.pid()).value(), {.stopping = milliseconds(100)});
  ASSERT_TRUE(freezer);
  const auto frozen = freezer->freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().code, Code::timeout) << to_string(frozen.error());
  EXPECT_TRUE(nobody_traces(busy.pid()));
  EXPECT_TRUE(busy.goes_on());
  const auto again = freezer->freeze();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::gone);
}

}  // namespace
}  // namespace vitrine::host
