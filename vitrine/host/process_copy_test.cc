#include "vitrine/host/process_copy.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <thread>
#include <tuple>
#include <vector>

#include "vitrine/host/copying_task.h"
#include "vitrine/host/testing/busy_process.h"
#include "vitrine/host/testing/writing_process.h"
#include "vitrine/host/vm_flags.h"

namespace vitrine::host {
namespace {

using base::Code;
using std::chrono::milliseconds;
using testing::BusyProcess;
using testing::of_one_instant;
using testing::WritingProcess;

// Whether the process has a child, a zombie included, within 5 s.
bool childless(pid_t pid) {
  for (int i = 0; i < 500; ++i) {
    std::string children;
    for (const pid_t thread : threads(pid))
      children +=
          read_file(ProcRoot{ProcRoot().of(pid, "task")}.of(thread, "children")).value_or("");
    if (children.empty()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(ProcessCopy, IsOfOneInstantAndStaysSoWhileTheProcessRunsOn) {
  WritingProcess writer;
  auto copy = ProcessCopy::start(identify(writer.pid()).value());
  ASSERT_TRUE(copy) << to_string(copy.error());
  for (int i = 0; i < 10; ++i) {
    const auto taken = copy->take(writer.range());
    ASSERT_TRUE(taken) << to_string(taken.error());
    EXPECT_GT(taken->stopped_ns, 0U);
    const auto first = writer.read(taken->pid);
    EXPECT_TRUE(of_one_instant(first));
    EXPECT_TRUE(writer.process().goes_on());
    EXPECT_EQ(writer.read(taken->pid), first);
    EXPECT_NE(writer.read(writer.pid()), first);
    EXPECT_TRUE(copy->check());
    EXPECT_TRUE(writer.marked());
  }
  EXPECT_TRUE(copy->drop());
  EXPECT_TRUE(childless(writer.pid()));
  EXPECT_FALSE(copy->check());
}

TEST(ProcessCopy, HoldsNoDescriptorAndIsTheFirstToGo) {
  WritingProcess writer;
  auto copy = ProcessCopy::start(identify(writer.pid()).value());
  ASSERT_TRUE(copy);
  const auto taken = copy->take(writer.range());
  ASSERT_TRUE(taken) << to_string(taken.error());
  EXPECT_TRUE(std::filesystem::is_empty(ProcRoot().of(taken->pid, "fd")));
  EXPECT_EQ(read_file(ProcRoot().of(taken->pid, "oom_score_adj")).value(), "1000\n");
  EXPECT_EQ(threads(taken->pid).size(), 1U);
}

// Its guardian may have let go meanwhile what stood still only for the copy, e.g. disks.
TEST(ProcessCopy, IsNotMadeForATaskWhoseAskerIsGone) {
  WritingProcess writer;
  CopyingTask task(identify(writer.pid()).value(), {});
  const std::string request = std::string(CopyingTask::kTake) + ranges_text(writer.range());
  task.abandoned = [] { return true; };
  const auto refused = task.answer(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::gone);
  EXPECT_FALSE(task.busy());
  EXPECT_TRUE(writer.process().goes_on());
  EXPECT_TRUE(writer.marked());
  task.abandoned = [] { return false; };
  EXPECT_TRUE(task.answer(request));
}

TEST(ProcessCopy, TheProcessHearsNothingOfItAndWaitsForNobody) {
  WritingProcess writer;
  auto copy = ProcessCopy::start(identify(writer.pid()).value());
  ASSERT_TRUE(copy);
  for (int i = 0; i < 30; ++i) {
    kill(writer.pid(), SIGUSR1);
    ASSERT_TRUE(copy->take(writer.range()));
    for (int k = 0; k < 500 && writer.process().counters().signals <= i; ++k)
      std::this_thread::sleep_for(milliseconds(1));
    ASSERT_EQ(writer.process().counters().signals, i + 1);
  }
  EXPECT_TRUE(writer.process().goes_on());
}

TEST(ProcessCopy, IsGoneWithWhoeverTookItEvenIfThatWasKilled) {
  WritingProcess writer;
  std::array<int, 2> told{};
  ASSERT_EQ(pipe(told.data()), 0);
  const pid_t tool = fork();
  if (tool == 0) {
    auto copy = ProcessCopy::start(identify(writer.pid()).value());
    const auto taken = copy->take(writer.range());
    const pid_t pid = taken ? taken->pid : 0;
    std::ignore = write(told[1], &pid, sizeof pid);
    pause();
    _exit(0);
  }
  pid_t pid = 0;
  ASSERT_EQ(read(told[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_GT(pid, 0);
  EXPECT_FALSE(writer.read(pid).empty());
  kill(tool, SIGKILL);
  waitpid(tool, nullptr, 0);
  EXPECT_TRUE(childless(writer.pid()));
  EXPECT_TRUE(writer.process().goes_on());
  EXPECT_TRUE(writer.marked());
}

TEST(ProcessCopy, IsGivenUpWhereItCostsTooMuchMemory) {
  WritingProcess writer;
  auto copy = ProcessCopy::start(identify(writer.pid()).value(), {.growth = 1 << 20});
  ASSERT_TRUE(copy);
  ASSERT_TRUE(copy->take(writer.range()));
  for (int i = 0; i < 500 && copy->check(); ++i) std::this_thread::sleep_for(milliseconds(10));
  const auto checked = copy->check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::gone);
  EXPECT_TRUE(childless(writer.pid()));
  EXPECT_TRUE(writer.process().goes_on());
}

TEST(ProcessCopy, IsMissedWhenSomebodyElseEndsIt) {
  WritingProcess writer;
  auto copy = ProcessCopy::start(identify(writer.pid()).value());
  ASSERT_TRUE(copy);
  const auto taken = copy->take(writer.range());
  ASSERT_TRUE(taken);
  kill(taken->pid, SIGKILL);
  for (int i = 0; i < 500 && copy->check(); ++i) std::this_thread::sleep_for(milliseconds(10));
  ASSERT_FALSE(copy->check());
  EXPECT_EQ(copy->check().error().code, Code::gone);
  EXPECT_TRUE(copy->take(writer.range()));
  EXPECT_TRUE(copy->check());
}

// Whatever the instant at which it is killed, its parent can wait for it soon.
TEST(ProcessCopy, TheProcessMayBeKilledMeanwhile) {
  for (int i = 0; i < 20; ++i) {
    WritingProcess writer;
    auto copy = ProcessCopy::start(identify(writer.pid()).value());
    ASSERT_TRUE(copy);
    std::thread killer([&, i] {
      std::this_thread::sleep_for(std::chrono::microseconds(i * 300));
      kill(writer.pid(), SIGKILL);
    });
    pid_t last = 0;
    for (int k = 0; k < 1000; ++k) {
      const auto taken = copy->take(writer.range());
      if (!taken) break;
      last = taken->pid;
    }
    killer.join();
    EXPECT_TRUE(writer.process().ended());
    EXPECT_FALSE(copy->take(writer.range()));
    const auto stat = process_stat(last);
    EXPECT_TRUE(last == 0 || !stat || stat->state == 'Z');
  }
}

TEST(ProcessCopy, OfSharedMemoryIsUnsupported) {
  constexpr std::size_t kMemory = 1 << 20;
  void* shared = mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  BusyProcess busy;
  auto copy = ProcessCopy::start(identify(busy.pid()).value());
  ASSERT_TRUE(copy);
  const std::array<HostRange, 1> range{
      {{base::HostVirtual(reinterpret_cast<std::uint64_t>(shared)), kMemory}}};
  const auto taken = copy->take(range);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::unsupported);
  EXPECT_TRUE(busy.goes_on());
  munmap(shared, kMemory);
}

TEST(ProcessCopy, OfAProcessThatEndedIsGone) {
  BusyProcess busy;
  auto copy = ProcessCopy::start(identify(busy.pid()).value());
  ASSERT_TRUE(copy);
  kill(busy.pid(), SIGKILL);
  EXPECT_TRUE(busy.ended());
  EXPECT_FALSE(copy->take({}));
}

}  // namespace
}  // namespace vitrine::host
