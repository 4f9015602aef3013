#include "vitrine/images/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/page_frames.h"
#include "vitrine/images/sha256.h"
#include "vitrine/images/testing/content.h"
#include "vitrine/images/testing/dump_reader.h"

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using base::GuestPhysical;
using synthetic::megabyte;
using testing::DumpMemory;
using testing::DumpReader;

constexpr std::uint64_t kUnusedRam = 16 * megabyte;  // what the synthetic guest does not use itself

using Page = std::array<std::byte, kPageBytes>;

Page filled(std::uint8_t value) {
  Page page{};
  // Hardly compressible.
  std::uint32_t state = value;
  for (std::byte& byte : page) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  return page;
}

// A guest with RAM in two places, and snapshots of it in a folder of their own.
class SnapshotTest : public ::testing::TestWithParam<Format> {
 protected:
  SnapshotTest()
      : guest_({.ram = {{GuestPhysical(0), 64 * megabyte},
                        {GuestPhysical(256 * megabyte), 2 * megabyte}}}),
        frames_(guest_.kernel()) {
    guest_.add_process({.pid = 1, .comm = "init"});
    guest_.add_process({.pid = 42, .comm = "daemon"});
    kernel_.emplace(synthetic::locate_kernel(guest_));
    std::string name = (fs::temp_directory_path() / "vitrine-snapshot-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~SnapshotTest() override { fs::remove_all(folder_); }

  void put(std::uint64_t at, const Page& page) { guest_.memory().write(GuestPhysical(at), page); }

  fs::path path() const { return folder_ / "image"; }

  SnapshotReport snapshot(Omissions omissions = {}, Format format = GetParam()) {
    auto file = OutputFile::create(path(), OutputFile::Existing::replace);
    if (!file) throw std::runtime_error(to_string(file.error()));
    const SnapshotRequest request{
        .format = format, .omissions = omissions, .processors = processors_, .progress = {}};
    auto report = write_snapshot(*kernel_, guest_.memory(), request, *file);
    if (!report) throw std::runtime_error(to_string(report.error()));
    if (auto published = file->publish(); !published)
      throw std::runtime_error(to_string(published.error()));
    return std::move(*report);
  }

  // A page of the image as its reader sees it; nothing where the image lacks it.
  std::optional<Page> read_back(std::uint64_t at) {
    Page page{};
    if (GetParam() == Format::raw) {
      std::ifstream stream(path());
      stream.seekg(static_cast<std::streamoff>(at));
      if (!stream.read(reinterpret_cast<char*>(page.data()), page.size())) return std::nullopt;
      return page;
    }
    if (!reader_) reader_.emplace(path());
    if (!reader_->read(GuestPhysical(at), page)) return std::nullopt;
    return page;
  }

  // The first page that is not in the image as it is in the guest.
  std::optional<std::uint64_t> first_difference() {
    for (const memory::Range& range : guest_.memory().ram())
      for (std::uint64_t at = range.start.value; at < range.end().value; at += kPageBytes) {
        Page page{};
        guest_.memory().peek(GuestPhysical(at), page);
        if (read_back(at) != page) return at;
      }
    return std::nullopt;
  }

  synthetic::Guest guest_;
  synthetic::PageFrames frames_;
  std::optional<kernel::Kernel> kernel_;
  std::vector<memory::X86GeneralRegisters> processors_{
      {.rax = 0x11, .rsp = 0xffffc90000003f00, .rip = 0xffffffff9d000008, .cs = 0x10},
      {.rax = 0x22, .rip = 0x401000, .cs = 0x33, .gs_base = 0x7fff12345678}};
  fs::path folder_;
  std::optional<DumpReader> reader_;
};

INSTANTIATE_TEST_SUITE_P(Formats, SnapshotTest,
                         ::testing::Values(Format::raw, Format::elf, Format::kdump),
                         [](const auto& format) { return std::string(name(format.param)); });

TEST_P(SnapshotTest, HoldsEveryPageOfTheGuest) {
  put(kUnusedRam, filled(1));
  put(256 * megabyte + kPageBytes, filled(2));
  const SnapshotReport report = snapshot();
  EXPECT_EQ(first_difference(), std::nullopt);
  EXPECT_EQ(report.ram_bytes, 66 * megabyte);
  EXPECT_EQ(report.pages.total, 66 * megabyte / kPageBytes);
  EXPECT_EQ(report.pages.written, guest_.memory().allocated_pages());
  EXPECT_EQ(report.pages.written + report.pages.not_populated, report.pages.total);
}

TEST_P(SnapshotTest, TakesNoRoomForHolesAndFillsNone) {
  const std::uint64_t before = guest_.memory().allocated_pages();
  const SnapshotReport report = snapshot();
  EXPECT_EQ(guest_.memory().allocated_pages(), before);
  EXPECT_LT(report.allocated_bytes, (before + 256) * kPageBytes);
}

TEST_P(SnapshotTest, IsDescribedAsItIsOnTheDisk) {
  put(kUnusedRam, filled(3));
  const SnapshotReport report = snapshot({.zero = true});
  EXPECT_EQ(report.size, fs::file_size(path()));
  const std::string content = testing::content_of(path());
  Sha256 hash;
  hash.update(std::as_bytes(std::span(content.data(), content.size())));
  EXPECT_EQ(report.sha256, hash.finish());
}

TEST_P(SnapshotTest, LeavesOutZeroPagesThatStayReadable) {
  guest_.memory().populate({GuestPhysical(kUnusedRam), megabyte});
  const SnapshotReport with = snapshot();
  const SnapshotReport without = snapshot({.zero = true});
  EXPECT_GE(without.pages.zero, megabyte / kPageBytes);
  EXPECT_EQ(with.pages.written, without.pages.written + without.pages.zero);
  EXPECT_EQ(first_difference(), std::nullopt);
}

TEST_P(SnapshotTest, LeavesOutFreePagesAndCacheAndNothingElse) {
  for (std::uint64_t i = 0; i < 64; ++i)
    put(kUnusedRam + i * kPageBytes, filled(static_cast<std::uint8_t>(i)));
  frames_.set_free(kUnusedRam / kPageBytes + 8, 3);
  frames_.set_cached(kUnusedRam / kPageBytes + 32);
  const SnapshotReport report = snapshot({.free = true, .cache = true});
  EXPECT_EQ(report.pages.free, 8U);
  EXPECT_EQ(report.pages.cache, 1U);
  for (std::uint64_t i = 0; i < 64; ++i) {
    const auto page = read_back(kUnusedRam + i * kPageBytes);
    const bool left_out = (i >= 8 && i < 16) || i == 32;
    if (!left_out)
      EXPECT_EQ(page, filled(static_cast<std::uint8_t>(i))) << i;
    else if (GetParam() == Format::kdump)
      EXPECT_EQ(page, std::nullopt) << "the format tells what is missing from what is zero";
    else
      EXPECT_EQ(page, Page{}) << i;
  }
}

TEST_P(SnapshotTest, SkipsOnlyWhatWasAskedFor) {
  put(kUnusedRam, filled(1));
  put(kUnusedRam + kPageBytes, filled(2));
  frames_.set_free(kUnusedRam / kPageBytes, 0);
  frames_.set_cached(kUnusedRam / kPageBytes + 1);
  EXPECT_EQ(snapshot({.free = true}).pages.cache, 0U);
  EXPECT_EQ(read_back(kUnusedRam + kPageBytes), filled(2));
  reader_.reset();
  EXPECT_EQ(snapshot({.cache = true}).pages.free, 0U);
  EXPECT_EQ(read_back(kUnusedRam), filled(1));
}

TEST_P(SnapshotTest, ReportsPagesThatCannotBeRead) {
  put(kUnusedRam, filled(1));
  put(kUnusedRam + kPageBytes, filled(2));
  guest_.memory().fail_reads({GuestPhysical(kUnusedRam), kPageBytes});
  const SnapshotReport report = snapshot();
  EXPECT_EQ(report.pages.unreadable, 1U);
  ASSERT_TRUE(report.unreadable);
  EXPECT_EQ(report.unreadable->address, kUnusedRam);
  EXPECT_EQ(read_back(kUnusedRam + kPageBytes), filled(2)) << "its neighbours are there";
  EXPECT_NE(read_back(kUnusedRam), filled(1));
}

TEST_P(SnapshotTest, SurvivesPagesThatGoAwayMeanwhile) {
  put(kUnusedRam, filled(1));
  put(kUnusedRam + kPageBytes, filled(2));
  bool punched = false;
  guest_.memory().before_each_request([&](const memory::ReadRequest& request) {
    if (punched || request.address.value > kUnusedRam ||
        request.address.value + request.into.size() <= kUnusedRam)
      return;
    punched = true;
    guest_.memory().punch_hole({GuestPhysical(kUnusedRam), kPageBytes});
  });
  const SnapshotReport report = snapshot();
  ASSERT_TRUE(punched);
  EXPECT_EQ(report.pages.unreadable, 0U);
  EXPECT_EQ(read_back(kUnusedRam + kPageBytes), filled(2));
  EXPECT_EQ(read_back(kUnusedRam), Page{});
}

TEST_P(SnapshotTest, TellsHowFarItIs) {
  std::vector<SnapshotProgress> told;
  auto file = OutputFile::create(path(), OutputFile::Existing::keep);
  ASSERT_TRUE(file);
  const SnapshotRequest request{
      .format = GetParam(),
      .omissions = {},
      .processors = {},
      .progress = [&told](const SnapshotProgress& progress) { told.push_back(progress); }};
  ASSERT_TRUE(write_snapshot(*kernel_, guest_.memory(), request, *file));
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(told.back().finishing);
  EXPECT_EQ(told.back().done, 66 * megabyte);
  EXPECT_EQ(told.back().total, 66 * megabyte);
}

// What dumps say beside the pages.
class DumpTest : public SnapshotTest {};

INSTANTIATE_TEST_SUITE_P(Formats, DumpTest, ::testing::Values(Format::elf, Format::kdump),
                         [](const auto& format) { return std::string(name(format.param)); });

TEST_P(DumpTest, IsWhatItsReadersKnow) {
  snapshot();
  DumpReader reader(path());
  EXPECT_EQ(reader.text(KDUMP_ATTR_FILE_FORMAT), GetParam() == Format::elf ? "elf" : "diskdump");
  EXPECT_EQ(reader.text(KDUMP_ATTR_ARCH_NAME), "x86_64");
  EXPECT_EQ(reader.vmcoreinfo(), guest_.kernel().vmcoreinfo_text());
  EXPECT_EQ(reader.number(KDUMP_ATTR_NUM_CPUS), 2U);
}

TEST_P(DumpTest, HoldsTheRegistersOfEachProcessor) {
  snapshot();
  DumpReader reader(path());
  EXPECT_EQ(reader.number("cpu.0.reg.rax"), 0x11U);
  EXPECT_EQ(reader.number("cpu.0.reg.rsp"), 0xffffc90000003f00U);
  EXPECT_EQ(reader.number("cpu.0.reg.rip"), 0xffffffff9d000008U);
  EXPECT_EQ(reader.number("cpu.1.reg.rax"), 0x22U);
  EXPECT_EQ(reader.number("cpu.1.reg.cs"), 0x33U);
  EXPECT_EQ(reader.number("cpu.1.reg.gs_base"), 0x7fff12345678U);
  EXPECT_EQ(reader.number("cpu.2.reg.rax"), std::nullopt);
}

TEST_P(DumpTest, CanBeTakenWithoutRegisters) {
  processors_.clear();
  snapshot();
  DumpReader reader(path());
  EXPECT_EQ(reader.vmcoreinfo(), guest_.kernel().vmcoreinfo_text());
  EXPECT_EQ(first_difference(), std::nullopt);
}

TEST_P(DumpTest, ShowsTheSameProcessesAsTheGuest) {
  snapshot({.zero = true, .free = true, .cache = true});
  const auto ram = guest_.memory().ram();
  DumpMemory memory(path(), {ram.begin(), ram.end()});
  const std::array registers{guest_.registers()};
  auto kernel = kernel::locate(memory, {.registers = registers, .hint = {}});
  ASSERT_TRUE(kernel) << to_string(kernel.error());
  const auto rows = [&](memory::PhysicalMemory& of, const kernel::Kernel& by) {
    auto view = views::Processes::attach(by, of, {});
    memory::Reader physical(of);
    paging::VirtualReader reader(by.space, physical);
    reader.begin();
    (*view)->collect(reader);
    return synthetic::rows_of(**view);
  };
  const auto expected = rows(guest_.memory(), *kernel_);
  EXPECT_GT(expected.size(), 1U);
  EXPECT_EQ(rows(memory, *kernel), expected);
}

TEST(ElfSnapshot, ShowsTheKernelAtItsOwnAddresses) {
  synthetic::Guest guest;
  const kernel::Kernel kernel = synthetic::locate_kernel(guest);
  const fs::path path = fs::temp_directory_path() / ("vitrine-elf-" + std::to_string(getpid()));
  auto file = OutputFile::create(path, OutputFile::Existing::replace);
  ASSERT_TRUE(file);
  const SnapshotRequest request{
      .format = Format::elf, .omissions = {}, .processors = {}, .progress = {}};
  ASSERT_TRUE(write_snapshot(kernel, guest.memory(), request, *file));
  ASSERT_TRUE(file->publish());
  DumpReader reader(path);
  fs::remove(path);
  for (const auto at :
       {guest.kernel().symbol("linux_banner"),
        guest.kernel().direct(guest.kernel().physical(guest.kernel().symbol("linux_banner")))}) {
    std::array<std::byte, 13> bytes{};
    ASSERT_TRUE(reader.read(at, bytes)) << to_string(at);
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
              "Linux version");
  }
}

}  // namespace
}  // namespace vitrine::images
