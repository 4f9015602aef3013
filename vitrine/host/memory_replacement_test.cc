#include "vitrine/host/memory_replacement.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "vitrine/host/freezer.h"
#include "vitrine/host/mappings.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/host/testing/writing_process.h"

namespace vitrine::host {
namespace {

using base::Code;
using testing::of_one_instant;
using testing::WritingProcess;

std::vector<Mapping> mapped_in(pid_t pid, const HostRange& range) {
  std::vector<Mapping> found;
  const auto all = mappings(pid);
  for (const Mapping& mapping : all.value())
    if (mapping.start < range.end() && range.start < mapping.end) found.push_back(mapping);
  return found;
}

bool replaced(pid_t pid, const HostRange& range) {
  const auto mapped = mapped_in(pid, range);
  return !mapped.empty() && std::ranges::all_of(mapped, [](const Mapping& mapping) {
    return mapping.shared && mapping.path.starts_with("/memfd:vitrine-ram");
  });
}

// The same, within 10 s.
bool becomes_replaced(pid_t pid, const HostRange& range) {
  for (int i = 0; i < 1000 && !replaced(pid, range); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return replaced(pid, range);
}

// Frozen as soon as whoever else holds it, such as a keeper that cleans up, has let it go.
std::optional<Freezer> freeze(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  do {
    if (auto freezer = Freezer::start(identify(pid).value()); freezer && freezer->freeze())
      return std::move(*freezer);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  } while (std::chrono::steady_clock::now() < deadline);
  return std::nullopt;
}

// How many files of ours the process has open, within 5 s of there being `expected`.
std::size_t open_files(pid_t pid, std::size_t expected) {
  std::size_t count = 0;
  for (int i = 0; i < 500; ++i) {
    count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(ProcRoot().of(pid, "fd"))) {
      std::error_code gone;
      const auto target = std::filesystem::read_symlink(entry, gone).string();
      if (target.starts_with("/memfd:vitrine-ram")) ++count;
    }
    if (count == expected) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return count;
}

// The memory of one instant, though the process writes without pause.
std::vector<std::uint64_t> read_frozen(const WritingProcess& writer) {
  auto freezer = freeze(writer.pid());
  if (!freezer) return {};
  auto words = writer.read(writer.pid());
  return freezer->thaw() ? words : std::vector<std::uint64_t>{};
}

// A process that writes each word of its memory once, here and there: what is lost stays lost.
class Recorder {
 public:
  Recorder()
      : memory_(static_cast<std::atomic<std::uint64_t>*>(
            mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        process_([this](testing::BusyCounters&) { std::thread([this] { record(); }).detach(); }) {}
  ~Recorder() { munmap(memory_, kMemory); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  pid_t pid() const { return process_.pid(); }
  std::array<HostRange, 1> range() const {
    return {{{base::HostVirtual(reinterpret_cast<std::uint64_t>(memory_)), kMemory}}};
  }

  // How many words were written; nothing where one of them is not as it was written.
  std::optional<std::uint64_t> written() const {
    std::vector<std::uint64_t> words(kWords);
    const iovec ours{words.data(), kMemory};
    const iovec theirs{memory_, kMemory};
    const auto freezer = freeze(pid());
    if (!freezer || process_vm_readv(pid(), &ours, 1, &theirs, 1, 0) != kMemory)
      return std::nullopt;
    const std::uint64_t count = words[0];
    for (std::uint64_t i = 1; i < count; ++i)
      if (words[place(i)] != i) return std::nullopt;
    return count;
  }

 private:
  static constexpr std::size_t kMemory = 16 << 20;
  static constexpr std::size_t kWords = kMemory / 8;

  static std::size_t place(std::uint64_t i) { return i * 1'000'003 % kWords; }

  // The first word tells how far it is.
  [[noreturn]] void record() {
    for (std::uint64_t i = 1; i < kWords; ++i) {
      memory_[place(i)] = i;
      memory_[0] = i + 1;
      for (volatile int k = 0; k < 4000;) k = k + 1;
    }
    while (true) pause();
  }

  std::atomic<std::uint64_t>* memory_;
  testing::BusyProcess process_;
};

constexpr MemoryReplacement::Limits kAmple{1 << 20, std::chrono::seconds(10)};

// All of it, as a technique does.
base::Result<MemoryReplacement::Replaced> replace(
    pid_t pid, std::span<const HostRange> ranges, std::size_t rounds = 1,
    const MemoryReplacement::Limits& limits = kAmple) {
  std::array<std::optional<ProcessCopy>, 2> copies;
  std::array<pid_t, 2> pids{};
  auto replacement = MemoryReplacement::start(identify(pid).value(), ranges);
  if (!replacement) return base::fail(replacement.error());
  for (std::size_t round = 0; round < rounds; ++round) {
    auto& copy = copies.at(round % 2);
    auto started = ProcessCopy::start(identify(pid).value());
    if (!started) return base::fail(started.error());
    copy.emplace(std::move(*started));
    const auto taken = copy->take(ranges);
    if (!taken) return base::fail(taken.error());
    pids.at(round % 2) = taken->pid;
    const auto filled = replacement->fill(taken->pid, pids.at((round + 1) % 2));
    if (!filled) return base::fail(filled.error());
  }
  if (auto same = replacement->check(); !same) return base::fail(same.error());
  return replacement->replace(pids.at((rounds - 1) % 2), limits);
}

TEST(MemoryReplacement, LosesNothingOfWhatTheProcessWritesMeanwhile) {
  for (const std::size_t rounds : {1U, 2U, 3U}) {
    const Recorder recorder;
    const auto done = replace(recorder.pid(), recorder.range(), rounds);
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_GT(done->pages, 0U);
    const auto written = recorder.written();
    ASSERT_TRUE(written);
    EXPECT_GT(recorder.written(), written);
  }
}

TEST(MemoryReplacement, IsMappedAsTheMemoryWas) {
  WritingProcess writer;
  const auto done = replace(writer.pid(), writer.range());
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_GT(done->stopped_ns, 0U);
  EXPECT_TRUE(replaced(writer.pid(), writer.range()[0]));
  EXPECT_EQ(mapped_in(writer.pid(), writer.range()[0]).size(), 1U);
  EXPECT_TRUE(writer.marked());
  const auto first = read_frozen(writer);
  EXPECT_TRUE(of_one_instant(first));
  EXPECT_TRUE(writer.process().goes_on());
  EXPECT_NE(read_frozen(writer), first);
  EXPECT_EQ(open_files(writer.pid(), 1), 1U);
}

// A VMM's RAM is mostly holes, and the pages that its guest only ever read are no better.
TEST(MemoryReplacement, LeavesHolesAsHoles) {
  constexpr std::size_t kMemory = 4 << 20;
  void* memory = mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  testing::BusyProcess process([memory](auto&) {
    auto* bytes = static_cast<volatile char*>(memory);
    bytes[0] = 'a';
    bytes[3 << 20] = 'b';
    for (std::size_t at = 1 << 20; at < 2 << 20; at += 4096) (void)bytes[at];
  });
  const std::array<HostRange, 1> ranges{
      {{base::HostVirtual(reinterpret_cast<std::uint64_t>(memory)), kMemory}}};
  const auto done = replace(process.pid(), ranges);
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(done->pages, 0U) << "it wrote nothing since the copy";
  ASSERT_TRUE(replaced(process.pid(), ranges[0]));
  const Mapping mapping = mapped_in(process.pid(), ranges[0]).front();
  const auto file = std::filesystem::path(ProcRoot().of(
      process.pid(),
      "map_files/" + fmt::format("{:x}-{:x}", mapping.start.value, mapping.end.value)));
  struct stat info {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_blocks * 512, 2 * 4096);
  munmap(memory, kMemory);
}

TEST(MemoryReplacement, ClosesItsFilesWhereNothingWasReplaced) {
  WritingProcess writer;
  {
    auto replacement = MemoryReplacement::start(identify(writer.pid()).value(), writer.range());
    ASSERT_TRUE(replacement) << to_string(replacement.error());
    EXPECT_EQ(open_files(writer.pid(), 1), 1U);
  }
  EXPECT_EQ(open_files(writer.pid(), 0), 0U);
  EXPECT_FALSE(replaced(writer.pid(), writer.range()[0]));
  EXPECT_TRUE(writer.process().goes_on());
}

// The first half is replaced already when the second half turns out to be too much.
TEST(MemoryReplacement, LeavesAllAsItWasWhereItFailsHalfWay) {
  WritingProcess writer;
  const HostRange whole = writer.range()[0];
  const std::array<HostRange, 2> halves{
      {{whole.start, whole.size / 2}, {whole.start + whole.size / 2, whole.size / 2}}};
  const auto status = read_file(ProcRoot().of(writer.pid(), "status"));
  const std::uint64_t size = status_number(status.value(), "VmSize").value() << 10;
  const rlimit limit{size + whole.size * 3 / 4, RLIM_INFINITY};
  ASSERT_EQ(prlimit(writer.pid(), RLIMIT_AS, &limit, nullptr), 0);
  const auto before = mapped_in(writer.pid(), whole);
  const auto done = replace(writer.pid(), halves);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("moved away"), std::string::npos) << done.error().message;
  EXPECT_EQ(mapped_in(writer.pid(), whole), before);
  EXPECT_TRUE(of_one_instant(read_frozen(writer)));
  EXPECT_TRUE(writer.process().goes_on());
  EXPECT_EQ(open_files(writer.pid(), 0), 0U);
}

// Whatever the instant at which the tool is killed: replaced or not, nothing is lost, and nothing
// is left but what was replaced.
TEST(MemoryReplacement, MayBeAbandonedAtAnyInstant) {
  constexpr int kKills = 12;
  const auto before = std::chrono::steady_clock::now();
  {
    const Recorder recorder;
    ASSERT_TRUE(replace(recorder.pid(), recorder.range()));
  }
  const auto duration = std::chrono::steady_clock::now() - before;
  int finished = 0;
  for (int i = 0; i < kKills; ++i) {
    const Recorder recorder;
    const pid_t tool = fork();
    if (tool == 0) {
      std::ignore = replace(recorder.pid(), recorder.range());
      pause();
      _exit(0);
    }
    std::this_thread::sleep_for(2 * duration * i / kKills);
    // However busy the machine is, one of them comes too late.
    if (i == kKills - 1) {
      EXPECT_TRUE(becomes_replaced(recorder.pid(), recorder.range()[0]));
    }
    kill(tool, SIGKILL);
    waitpid(tool, nullptr, 0);
    const bool was_replaced = replaced(recorder.pid(), recorder.range()[0]);
    finished += was_replaced ? 1 : 0;
    const auto written = recorder.written();
    ASSERT_TRUE(written) << i;
    EXPECT_GT(recorder.written(), written);
    if (!was_replaced && !replaced(recorder.pid(), recorder.range()[0])) {
      EXPECT_EQ(open_files(recorder.pid(), 0), 0U) << i;
    }
  }
  EXPECT_GT(finished, 0);
  EXPECT_LT(finished, kKills);
}

// The process stands still for no longer than was allowed, and loses nothing.
TEST(MemoryReplacement, IsNotMadeWhereItWouldTakeTooLong) {
  constexpr MemoryReplacement::Limits kNoTime{1 << 20, std::chrono::seconds(0)};
  constexpr MemoryReplacement::Limits kNoPages{0, std::chrono::seconds(10)};
  for (const auto& limits : {kNoTime, kNoPages}) {
    const Recorder recorder;
    const auto done = replace(recorder.pid(), recorder.range(), 1, limits);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::timeout) << to_string(done.error());
    EXPECT_FALSE(replaced(recorder.pid(), recorder.range()[0]));
    const auto written = recorder.written();
    ASSERT_TRUE(written);
    EXPECT_GT(recorder.written(), written);
    EXPECT_EQ(open_files(recorder.pid(), 0), 0U);
  }
}

TEST(MemoryReplacement, IsNotMadeWhereTheMappingsChangedMeanwhile) {
  constexpr std::size_t kMemory = 1 << 20;
  void* memory = mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  testing::BusyProcess process([memory](testing::BusyCounters& counters) {
    std::thread([memory, &counters] {
      while (counters.signals == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      munmap(memory, kMemory / 2);
      counters.signals = 2;
      pause();
    }).detach();
  });
  const std::array<HostRange, 1> ranges{
      {{base::HostVirtual(reinterpret_cast<std::uint64_t>(memory)), kMemory}}};
  auto copy = ProcessCopy::start(identify(process.pid()).value());
  const auto taken = copy->take(ranges);
  auto replacement = MemoryReplacement::start(identify(process.pid()).value(), ranges);
  ASSERT_TRUE(taken && replacement);
  process.counters().signals = 1;
  while (process.counters().signals != 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto same = replacement->check();
  ASSERT_FALSE(same);
  const auto done = replacement->replace(taken->pid, kAmple);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::inconsistent);
  EXPECT_TRUE(process.goes_on());
  munmap(memory, kMemory);
}

}  // namespace
}  // namespace vitrine::host
