#include "vitrine/host/copy_preconditions.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <array>
#include <tuple>

#include "vitrine/host/testing/busy_process.h"

namespace vitrine::host {
namespace {

using base::Code;
using testing::BusyProcess;

constexpr std::size_t kCopiedBytes = std::size_t{16} * 4096;

// Memory at the same address in the test and the process.
class CopyPreconditions : public ::testing::Test {
 protected:
  void start(int sharing, int advice) {
    memory_ = mmap(nullptr, kCopiedBytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
    process_.emplace([this, advice](auto&) { madvise(memory_, kCopiedBytes, advice); });
  }
  void TearDown() override { munmap(memory_, kCopiedBytes); }

  std::array<HostRange, 1> range() const {
    return {{{base::HostVirtual(reinterpret_cast<std::uint64_t>(memory_)), kCopiedBytes}}};
  }
  base::Result<void> check() { return can_be_copied(identify(process_->pid()).value(), range()); }

  void* memory_ = nullptr;
  std::optional<BusyProcess> process_;
};

TEST_F(CopyPreconditions, HoldForOrdinaryMemory) {
  start(MAP_PRIVATE, MADV_NORMAL);
  EXPECT_TRUE(check()) << to_string(check().error());
  EXPECT_TRUE(marked_ranges(process_->pid(), range()).value().empty());
  EXPECT_TRUE(process_->goes_on());
}

TEST_F(CopyPreconditions, FindWhatIsMarkedAsNotToBeCopied) {
  start(MAP_PRIVATE, MADV_DONTFORK);
  EXPECT_TRUE(check());
  const auto marked = marked_ranges(process_->pid(), range());
  ASSERT_TRUE(marked);
  ASSERT_EQ(marked->size(), 1U);
  EXPECT_EQ(marked->front(), range()[0]);
}

TEST_F(CopyPreconditions, FailForSharedMemory) {
  start(MAP_SHARED, MADV_NORMAL);
  ASSERT_FALSE(check());
  EXPECT_EQ(check().error().code, Code::unsupported);
}

TEST_F(CopyPreconditions, FailForMemoryThatCopiesLose) {
  start(MAP_PRIVATE, MADV_WIPEONFORK);
  ASSERT_FALSE(check());
  EXPECT_EQ(check().error().code, Code::unsupported);
}

TEST_F(CopyPreconditions, FailWhileSomebodyElseTracesTheProcess) {
  start(MAP_PRIVATE, MADV_NORMAL);
  ASSERT_EQ(ptrace(PTRACE_SEIZE, process_->pid(), 0L, 0L), 0);
  const auto checked = check();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::denied);
  EXPECT_NE(checked.error().message.find("traced by process"), std::string::npos);
}

TEST_F(CopyPreconditions, FailForAProcessThatEnded) {
  start(MAP_PRIVATE, MADV_NORMAL);
  const ProcessIdentity process = identify(process_->pid()).value();
  process_.reset();
  EXPECT_FALSE(can_be_copied(process, range()));
}

}  // namespace
}  // namespace vitrine::host
