#include "vitrine/images/process_core.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/synthetic/attached.h"
#include "vitrine/memory/prstatus.h"

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using base::GuestPhysical;
using base::GuestVirtual;
using synthetic::megabyte;
using synthetic::Residence;

constexpr std::uint64_t kStart = 0x7f0000000000;

class ProcessCoreTest : public ::testing::Test {
 protected:
  ProcessCoreTest() {
    guest_.add_process({.pid = 1, .comm = "victim", .arguments = {"victim", "--now"}});
    std::string name = (fs::temp_directory_path() / "vitrine-core-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    process_.format = guest_.kernel().options().levels == 5 ? &paging::x86_64_five_level
                                                            : &paging::x86_64_four_level;
    process_.tables = guest_.processes().of(1).tables->root();
    process_.swap_areas = 2;
    process_.name = "victim";
    process_.pid = 1;
  }
  ~ProcessCoreTest() override { fs::remove_all(folder_); }

  void map(std::uint64_t page, const std::string& bytes, Residence residence = Residence::present) {
    guest_.processes().map_user(1, GuestVirtual(kStart + page * kPage), bytes, residence);
  }
  void region(std::uint64_t page, std::uint64_t pages, bool of_file = false) {
    process_.regions.push_back({.start = GuestVirtual(kStart + page * kPage),
                                .end = GuestVirtual(kStart + (page + pages) * kPage),
                                .readable = true,
                                .writable = true,
                                .of_file = of_file});
  }

  CoreReport write() {
    auto file = OutputFile::create(folder_ / "core", OutputFile::Existing::replace);
    if (!file) throw std::runtime_error(to_string(file.error()));
    const auto report = write_process_core(process_, guest_.memory(), {}, *file);
    if (!report) throw std::runtime_error(to_string(report.error()));
    if (auto published = file->publish(); !published)
      throw std::runtime_error(to_string(published.error()));
    std::ifstream stream(folder_ / "core", std::ios::binary);
    core_.assign(std::istreambuf_iterator<char>(stream), {});
    return *report;
  }
  template <class T>
  T at(std::uint64_t offset) const {
    T value;
    std::memcpy(&value, core_.substr(offset, sizeof value).data(), sizeof value);
    return value;
  }
  std::vector<Elf64_Phdr> headers() const {
    std::vector<Elf64_Phdr> found;
    const auto header = at<Elf64_Ehdr>(0);
    for (std::uint64_t i = 0; i < header.e_phnum; ++i)
      found.push_back(at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr)));
    return found;
  }
  // "PAGE+FILE/MEMORY" of each segment, in pages.
  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const Elf64_Phdr& header : headers())
      if (header.p_type == PT_LOAD)
        found.push_back(std::to_string((header.p_vaddr - kStart) / kPage) + "+" +
                        std::to_string(header.p_filesz / kPage) + "/" +
                        std::to_string(header.p_memsz / kPage));
    return found;
  }
  // Bytes of the process as the core has them; nothing where it has none.
  std::optional<std::string> bytes(std::uint64_t page, std::size_t count) const {
    const std::uint64_t address = kStart + page * kPage;
    for (const Elf64_Phdr& header : headers())
      if (header.p_type == PT_LOAD && address - header.p_vaddr < header.p_filesz)
        return core_.substr(header.p_offset + (address - header.p_vaddr), count);
    return std::nullopt;
  }
  std::map<std::uint32_t, std::string> notes() const {
    std::map<std::uint32_t, std::string> found;
    const Elf64_Phdr header = headers().front();
    for (std::uint64_t offset = header.p_offset; offset < header.p_offset + header.p_filesz;) {
      const auto note = at<Elf64_Nhdr>(offset);
      offset += sizeof note + (note.n_namesz + 3) / 4 * 4;
      found.emplace(note.n_type, core_.substr(offset, note.n_descsz));
      offset += (note.n_descsz + 3) / 4 * 4;
    }
    return found;
  }

  static constexpr std::uint64_t kPage = 4096;
  synthetic::Guest guest_;
  CoreDescription process_;
  fs::path folder_;
  std::string core_;
};

TEST_F(ProcessCoreTest, HoldsWhatIsInMemoryAndHolesForTheRest) {
  region(0, 10);
  map(1, "one");
  map(4, "four");
  map(5, std::string(kPage, '\0'));
  map(6, "six", Residence::protection_none);
  const CoreReport report = write();
  EXPECT_EQ(segments(), std::vector<std::string>{"0+7/10"});
  EXPECT_EQ(bytes(1, 3), "one");
  EXPECT_EQ(bytes(2, 3), std::string(3, '\0'));
  EXPECT_EQ(bytes(4, 4), "four");
  EXPECT_EQ(bytes(6, 3), "six");
  EXPECT_FALSE(bytes(7, 1)) << "nothing was touched behind";
  EXPECT_EQ(report.resident_bytes, 4 * kPage);
  EXPECT_EQ(report.mapped_bytes, 10 * kPage);
  EXPECT_EQ(report.unreadable_bytes + report.swapped_bytes, 0U);
  EXPECT_EQ(fs::status(folder_ / "core").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ProcessCoreTest, LeavesOutWhatIsElsewhere) {
  region(0, 6);
  map(0, "zero");
  map(2, "gone", Residence::swapped_out);
  map(4, "four");
  region(10, 6, true);
  map(12, "of a file");
  map(14, "behind");
  region(20, 3);
  map(20, "hole", Residence::hole);
  map(21, "there");
  const CoreReport report = write();
  EXPECT_EQ(segments(),
            (std::vector<std::string>{"0+1/4", "4+1/2", "10+0/2", "12+1/2", "14+1/2", "20+2/3"}));
  EXPECT_EQ(report.swapped_bytes, kPage);
  EXPECT_EQ(report.unreadable_bytes, kPage);
  EXPECT_FALSE(bytes(2, 1));
  EXPECT_EQ(bytes(14, 6), "behind");
  EXPECT_EQ(bytes(21, 5), "there");
}

TEST_F(ProcessCoreTest, TellsOfThreadsFilesAndTheProcess) {
  region(0, 1);
  process_.arguments = "victim --now";
  process_.parent = 7;
  process_.threads = {{.id = 1, .registers = {.rsp = 0x7ffd1000, .rip = 0x401000}},
                      {.id = 9, .registers = {}}};
  process_.files = {{GuestVirtual(kStart), GuestVirtual(kStart + kPage), 3, "/bin/victim"}};
  process_.auxiliary_vector.resize(32);
  write();
  EXPECT_EQ(at<Elf64_Ehdr>(0).e_type, ET_CORE);
  const auto found = notes();
  const auto status = memory::parse_prstatus(
      std::as_bytes(std::span(found.at(NT_PRSTATUS).data(), found.at(NT_PRSTATUS).size())));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->rip, 0x401000U);
  EXPECT_EQ(status->rsp, 0x7ffd1000U);
  const std::string& info = found.at(NT_PRPSINFO);
  ASSERT_EQ(info.size(), 136U);
  EXPECT_STREQ(info.substr(40).c_str(), "victim");
  EXPECT_STREQ(info.substr(56).c_str(), "victim --now");
  EXPECT_EQ(info[28], 7);
  EXPECT_EQ(found.at(NT_AUXV).size(), 32U);
  EXPECT_THAT(found.at(NT_FILE), ::testing::EndsWith(std::string("/bin/victim\0", 12)));
}

TEST_F(ProcessCoreTest, SegmentsMayBeMoreThanAHalfWordCounts) {
  for (std::uint64_t i = 0; i < 70'000; ++i) region(2 * i, 1);
  const CoreReport report = write();
  EXPECT_EQ(report.segments, 70'000U);
  const auto header = at<Elf64_Ehdr>(0);
  EXPECT_EQ(header.e_phnum, PN_XNUM);
  EXPECT_EQ(at<Elf64_Shdr>(header.e_shoff).sh_info, 70'001U);
}

// Tables that stand for themselves map terabytes.
TEST_F(ProcessCoreTest, ForgedTablesAreAnError) {
  process_.regions = {{.start = GuestVirtual(0x1000), .end = GuestVirtual(0x7ffffffff000)}};
  for (std::uint64_t i = 0; i < 256; ++i)
    guest_.memory().put(process_.tables + i * 8, process_.tables.value | synthetic::user_page);
  auto file = OutputFile::create(folder_ / "core", OutputFile::Existing::replace);
  ASSERT_TRUE(file);
  const auto report = write_process_core(process_, guest_.memory(), {}, *file);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::images
