#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

#include "vitrine/host/frame_comparison.h"
#include "vitrine/host/memory_read.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/host/testing/busy_process.h"

namespace vitrine::host {
namespace {

namespace fs = std::filesystem;
using base::Code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BusyCounters;
using testing::BusyProcess;

constexpr std::size_t kPages = 512;
constexpr std::size_t kHeldBytes = kPages * kHostPage;

// A process with memory that nobody writes to but upon request; every other page is populated.
class Obedient {
 public:
  Obedient()
      : memory_(static_cast<char*>(
            mmap(nullptr, kHeldBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        orders_(new (mmap(nullptr, kHostPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                          -1, 0)) Orders),
        process_([this](BusyCounters&) {
          madvise(memory_, kHeldBytes, MADV_NOHUGEPAGE);
          for (std::size_t page = 0; page < kPages; page += 2) memory_[page * kHostPage] = 1;
          std::thread([this] { obey(); }).detach();
        }) {}
  ~Obedient() {
    munmap(memory_, kHeldBytes);
    munmap(orders_, kHostPage);
  }
  Obedient(const Obedient&) = delete;
  Obedient& operator=(const Obedient&) = delete;

  BusyProcess& process() { return process_; }
  ProcessIdentity identity() const { return identify(process_.pid()).value(); }
  std::array<HostRange, 1> range() const {
    return {{{base::HostVirtual(reinterpret_cast<std::uint64_t>(memory_)), kHeldBytes}}};
  }

  void write(std::size_t page) { order(page, false); }
  void give_back(std::size_t page) { order(page, true); }

 private:
  struct Orders {
    std::atomic<int> page = -1;
    std::atomic<bool> give_back = false;
  };

  void order(std::size_t page, bool give_back) {
    orders_->give_back = give_back;
    orders_->page = static_cast<int>(page);
    while (orders_->page >= 0) std::this_thread::sleep_for(milliseconds(1));
  }
  [[noreturn]] void obey() {
    while (true) {
      if (const int page = orders_->page; page >= 0) {
        char* at = memory_ + static_cast<std::size_t>(page) * kHostPage;
        if (orders_->give_back)
          madvise(at, kHostPage, MADV_DONTNEED);
        else
          ++*at;
        orders_->page = -1;
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  char* memory_;
  Orders* orders_;
  BusyProcess process_;
};

// The pages that differ.
std::vector<std::size_t> changed(const Obedient& process, pid_t earlier, pid_t later) {
  auto comparison = FrameComparison::open(earlier, later);
  if (!comparison) throw std::runtime_error(to_string(comparison.error()));
  std::array<std::uint8_t, kPages> same{};
  const auto compared = comparison->compare(process.range()[0].start, same);
  if (!compared) throw std::runtime_error(to_string(compared.error()));
  std::vector<std::size_t> pages;
  for (std::size_t page = 0; page < kPages; ++page)
    if (same[page] == 0) pages.push_back(page);
  return pages;
}

bool ends(pid_t pid) {
  for (int i = 0; i < 500; ++i) {
    const auto stat = process_stat(pid);
    if (!stat || stat->state == 'Z') return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

class HeldCopyTest : public ::testing::Test {
 protected:
  HeldCopyTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-held-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    socket_ = folder_ / "held";
  }
  ~HeldCopyTest() override {
    if (auto held = HeldCopy::find(socket_)) (void)held->release();
    fs::remove_all(folder_);
  }

  // Another process takes a copy, has it held, and is gone.
  void hold(seconds time, CopyLimits limits = {}) {
    const pid_t tool = fork();
    if (tool == 0) {
      auto copy = ProcessCopy::start(process_.identity(), limits);
      const bool held = copy && copy->take(process_.range()) && copy->hold(socket_, time);
      _exit(held ? 0 : 1);
    }
    int status = 0;
    waitpid(tool, &status, 0);
    ASSERT_EQ(status, 0) << "the copy could not be taken or held";
  }

  Obedient process_;
  fs::path folder_, socket_;
};

TEST_F(HeldCopyTest, TellsWhichPagesWereWrittenSince) {
  hold(seconds(60));
  const auto held = HeldCopy::find(socket_);
  ASSERT_TRUE(held) << to_string(held.error());
  EXPECT_EQ(held->process(), process_.identity());
  ASSERT_EQ(held->ranges().size(), 1U);
  EXPECT_EQ(held->ranges()[0], process_.range()[0]);
  // Reading the copy must not copy its pages, as process_vm_readv would.
  auto reader = ProcMemReader::open(held->pid());
  ASSERT_TRUE(reader) << to_string(reader.error());
  std::vector<std::byte> bytes(kHostPage);
  for (std::size_t page = 0; page < kPages; page += 2) {
    RemoteRead piece{process_.range()[0].start + page * kHostPage, bytes};
    EXPECT_TRUE(reader->read(std::span(&piece, 1)) && piece.ok);
  }
  process_.write(4);  // was written before
  process_.write(7);  // was never touched
  process_.give_back(10);
  auto now = ProcessCopy::start(process_.identity());
  const auto taken = now->take(process_.range());
  ASSERT_TRUE(taken) << to_string(taken.error());
  if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: page frames are told to CAP_SYS_ADMIN only";
  EXPECT_EQ(changed(process_, held->pid(), taken->pid), (std::vector<std::size_t>{4, 7, 10}));
  process_.write(12);  // after both copies
  EXPECT_EQ(changed(process_, held->pid(), taken->pid), (std::vector<std::size_t>{4, 7, 10}));
}

TEST_F(HeldCopyTest, IsThereForWhoeverComesUntilItIsReleased) {
  hold(seconds(60));
  pid_t pid = 0;
  for (int i = 0; i < 3; ++i) {
    auto held = HeldCopy::find(socket_);
    ASSERT_TRUE(held) << to_string(held.error());
    EXPECT_TRUE(held->check());
    pid = held->pid();
    EXPECT_TRUE(process_stat(pid));
  }
  EXPECT_TRUE(HeldCopy::find(socket_)->release());
  EXPECT_TRUE(ends(pid));
  for (int i = 0; i < 500 && fs::exists(socket_); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_TRUE(fs::is_empty(folder_));
  const auto gone = HeldCopy::find(socket_);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::absent);
  EXPECT_TRUE(process_.process().goes_on());
}

TEST_F(HeldCopyTest, EndsWhenItsTimeIsOver) {
  hold(seconds(1));
  const pid_t pid = HeldCopy::find(socket_)->pid();
  EXPECT_TRUE(ends(pid));
  for (int i = 0; i < 500 && fs::exists(socket_); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_FALSE(fs::exists(socket_));
}

TEST_F(HeldCopyTest, EndsWithTheProcess) {
  hold(seconds(60));
  const pid_t pid = HeldCopy::find(socket_)->pid();
  kill(process_.process().pid(), SIGKILL);
  EXPECT_TRUE(ends(pid));
  for (int i = 0; i < 500 && fs::exists(socket_); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  EXPECT_FALSE(fs::exists(socket_));
}

TEST_F(HeldCopyTest, EndsWhenItCannotBeFoundAnyMore) {
  hold(seconds(60));
  const pid_t first = HeldCopy::find(socket_)->pid();
  fs::remove(socket_);
  EXPECT_TRUE(ends(first));
  hold(seconds(60));
  const pid_t second = HeldCopy::find(socket_)->pid();
  hold(seconds(60));
  EXPECT_TRUE(ends(second)) << "another one has its place";
  const auto third = HeldCopy::find(socket_);
  ASSERT_TRUE(third);
  EXPECT_TRUE(process_stat(third->pid()));
}

TEST_F(HeldCopyTest, TellsThatItWasGivenUp) {
  hold(seconds(60), {.growth = 128 * kHostPage});
  for (std::size_t page = 0; page < kPages; page += 2) process_.write(page);
  for (int i = 0; i < 500 && HeldCopy::find(socket_); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  const auto held = HeldCopy::find(socket_);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Code::gone);
  EXPECT_NE(held.error().message.find("given up"), std::string::npos) << held.error().message;
}

TEST_F(HeldCopyTest, NeedsAFolder) {
  auto copy = ProcessCopy::start(process_.identity());
  ASSERT_TRUE(copy->take(process_.range()));
  EXPECT_FALSE(copy->hold(folder_ / "no" / "folder", seconds(60)));
  EXPECT_TRUE(copy->check());
}

}  // namespace
}  // namespace vitrine::host
