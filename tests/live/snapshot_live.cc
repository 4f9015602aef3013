// Snapshots of real guests, read back by programs that know nothing of what wrote them: the same
// pages in every format, nothing in use left out, nothing left behind by one that was interrupted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "vitrine/images/testing/dump_reader.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/memory/reader.h"
#include "vitrine/paging/virtual_reader.h"
#include "vitrine/views/processes.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;
using base::GuestPhysical;
using base::GuestVirtual;
using images::testing::DumpMemory;
using images::testing::DumpReader;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kRam = 320 << 20;
using Page = std::array<std::byte, kPage>;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

// A raw image, page by page.
class RawReader {
 public:
  explicit RawReader(const fs::path& path)
      : size_(fs::file_size(path)), stream_(path, std::ios::binary) {}

  std::uint64_t size() const { return size_; }
  Page page(std::uint64_t at) {
    Page page{};
    stream_.seekg(static_cast<std::streamoff>(at));
    stream_.read(reinterpret_cast<char*>(page.data()), page.size());
    return page;
  }
  std::uint64_t word(std::uint64_t at) {
    const Page bytes = page(at / kPage * kPage);
    std::uint64_t value = 0;
    std::memcpy(&value, &bytes.at(at % kPage), sizeof value);
    return value;
  }

 private:
  std::uint64_t size_;
  std::ifstream stream_;
};

// The pages that the user half of a page table maps, found by the plainest possible walk.
void collect_user_pages(RawReader& memory, std::uint64_t table, int level,
                        std::set<std::uint64_t>& pages) {
  if (table + kPage > memory.size()) return;
  constexpr std::uint64_t kAddress = 0x000ffffffffff000;
  pages.insert(table);
  const Page entries = memory.page(table);
  const std::size_t count = level == 4 ? 256 : 512;  // the upper half is the kernel's
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t entry = 0;
    std::memcpy(&entry, &entries.at(i * 8), sizeof entry);
    if ((entry & 1) == 0) continue;
    const std::uint64_t target = entry & kAddress;
    if (level > 1 && (entry & 0x80) == 0) {
      collect_user_pages(memory, target, level - 1, pages);
      continue;
    }
    const std::uint64_t size = kPage << (9 * (level - 1));
    for (std::uint64_t at = target / size * size; at < target / size * size + size; at += kPage)
      if (at + kPage <= memory.size()) pages.insert(at);
  }
}

class SnapshotTest : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "snapshot",
          .memory = std::to_string(kRam >> 20) + "M",
          .arguments = {"-smp", "2"}});
  }

  void SetUp() override {
    GuestTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    QmpClient(guest().qmp()).execute("cont");
  }

  fs::path file(const std::string& name) const { return folder_.path() / name; }

  nlohmann::json snapshot(const std::string& name, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"snapshot", guest().name(), "-o", file(name).string()});
    options.emplace_back("--json");
    const Finished finished = vitrine(options, std::chrono::minutes(4));
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return nlohmann::json::parse(finished.output);
  }

  static void stop() { QmpClient(guest().qmp()).execute("stop"); }

  static std::string monitor(const std::string& command) {
    return QmpClient(guest().qmp()).execute("human-monitor-command", {{"command-line", command}});
  }

  // The ranges that the VM's RAM has.
  static std::vector<memory::Range> ram() {
    return {{GuestPhysical(0), 0xa0000}, {GuestPhysical(0xc0000), kRam - 0xc0000}};
  }

  TemporaryFolder folder_;
};

using Reader = paging::VirtualReader;

// The pages that the image lacks; those that it has are as in memory.
std::set<std::uint64_t> pages_left_out(DumpMemory& image, RawReader& memory) {
  std::set<std::uint64_t> left_out;
  for (const memory::Range& range : image.ram())
    for (std::uint64_t at = range.start.value; at < range.end().value; at += kPage) {
      Page page{};
      if (!image.reader().read(GuestPhysical(at), page))
        left_out.insert(at);
      else if (page != memory.page(at))
        ADD_FAILURE() << "the page at " << at << " differs";
    }
  return left_out;
}

// The image alone shows every process that the VM does, with every field.
void expect_same_processes(const kernel::Kernel& kernel, DumpMemory& image, Reader& reader) {
  auto view = views::Processes::attach(kernel, image, {.command_lines = true});
  ASSERT_TRUE(view) << to_string(view.error());
  (*view)->collect(reader);
  const auto live = vitrine_json({"ps", "snapshot"});
  EXPECT_EQ((*view)->size(), live["rows"].size());
  for (std::size_t i = 0; i < (*view)->size(); ++i)
    EXPECT_THAT((*view)->row(i).errors, IsEmpty()) << "row " << i;
}

// Every page of every process, and of the tables that map it.
std::set<std::uint64_t> pages_of_processes(const kernel::Kernel& kernel, Reader& reader,
                                           RawReader& memory) {
  const std::uint64_t tasks = kernel.types.member("task_struct", "tasks")->offset;
  const std::uint64_t mm = kernel.types.member("task_struct", "mm")->offset;
  const std::uint64_t pgd = kernel.types.member("mm_struct", "pgd")->offset;
  const auto word = [&reader](std::uint64_t at) {
    std::uint64_t value = 0;
    EXPECT_TRUE(reader.load(GuestVirtual(at), value)) << at;
    return value;
  };
  std::set<std::uint64_t> used;
  const std::uint64_t first = kernel.symbols.find("init_task")->value;
  std::size_t processes = 0;
  for (std::uint64_t task = word(first + tasks) - tasks; task != first && processes < 10'000;
       task = word(task + tasks) - tasks, ++processes)
    if (const std::uint64_t space = word(task + mm); space != 0)
      collect_user_pages(memory, word(space + pgd) - kernel.space.direct.start.value, 4, used);
  EXPECT_GT(processes, 40U);
  return used;
}

TEST_F(SnapshotTest, IsTheVmmsOwnCopyInEveryFormat) {
  stop();
  const fs::path truth = guest().folder() / "truth";
  QmpClient(guest().qmp())
      .execute("pmemsave", {{"val", 0}, {"size", kRam}, {"filename", truth.string()}});
  for (const char* technique : {"process-vm", "proc-mem"})
    for (const char* format : {"raw", "elf", "kdump"})
      snapshot(std::string(format) + technique, {"--technique", technique, "--format", format});
  RawReader expected(truth);
  for (const char* technique : {"process-vm", "proc-mem"}) {
    RawReader raw(file(std::string("raw") + technique));
    DumpReader elf(file(std::string("elf") + technique));
    DumpReader kdump(file(std::string("kdump") + technique));
    ASSERT_EQ(raw.size(), kRam);
    for (const memory::Range& range : ram())
      for (std::uint64_t at = range.start.value; at < range.end().value; at += kPage) {
        const Page page = expected.page(at);
        Page of_elf{};
        Page of_kdump{};
        ASSERT_TRUE(elf.read(GuestPhysical(at), of_elf)) << at;
        ASSERT_TRUE(kdump.read(GuestPhysical(at), of_kdump)) << at;
        ASSERT_EQ(raw.page(at), page) << technique << " at " << at;
        ASSERT_EQ(of_elf, page) << technique << " at " << at;
        ASSERT_EQ(of_kdump, page) << technique << " at " << at;
      }
  }
  fs::remove(truth);
}

TEST_F(SnapshotTest, CarriesTheRegistersAndWhatTheKernelSaysOfItself) {
  stop();
  const std::string shown = monitor("info registers -a");
  const auto shown_value = [&shown](const std::string& label, std::size_t processor) {
    std::size_t at = shown.find("CPU#" + std::to_string(processor));
    at = shown.find(label + "=", at);
    return std::stoull(shown.substr(at + label.size() + 1, 16), nullptr, 16);
  };
  for (const char* format : {"elf", "kdump"}) {
    const auto manifest = snapshot(format, {"--format", format, "--pause", "vmm"});
    EXPECT_EQ(manifest["registers"]["processors"], 2);
    EXPECT_EQ(manifest["registers"]["same_instant"], true);
    EXPECT_EQ(manifest["consistency"]["atomic"], "proved");
    DumpReader reader(file(format));
    for (std::size_t cpu = 0; cpu < 2; ++cpu) {
      const std::string prefix = "cpu." + std::to_string(cpu) + ".reg.";
      for (const auto& [name, label] : std::map<std::string, std::string>{
               {"rip", "RIP"}, {"rsp", "RSP"}, {"rax", "RAX"}, {"rdi", "RDI"}, {"r15", "R15"}})
        EXPECT_EQ(reader.number((prefix + name).c_str()), shown_value(label, cpu))
            << format << " " << prefix << name;
    }
    const std::string release = manifest["kernel"]["release"];
    EXPECT_THAT(reader.vmcoreinfo(), testing::HasSubstr("OSRELEASE=" + release + "\n"));
    const Finished crash =
        run({"crash", "--osrelease", file(format).string()}, std::chrono::seconds(60));
    EXPECT_EQ(crash.output, release + "\n") << format << ": " << crash.errors;
  }
}

// A copy of one instant comes with that instant's registers, where the technique can have them.
TEST_F(SnapshotTest, HasTheRegistersOfACopysInstant) {
  for (const char* technique : {"dump", "pmemsave", "migrate-file"}) {
    const auto manifest = snapshot(technique, {"--technique", technique, "--format", "kdump"});
    EXPECT_EQ(manifest["consistency"]["atomic"], "proved") << technique;
    EXPECT_EQ(manifest["registers"]["same_instant"], true) << technique;
    EXPECT_EQ(manifest["registers"]["processors"], 2) << technique;
    // Of an idle guest: in its kernel, on a stack of its own.
    DumpReader reader(file(technique));
    EXPECT_GT(reader.number("cpu.0.reg.rip").value_or(0), 1U) << technique;
    EXPECT_NE(reader.number("cpu.0.reg.rsp"), reader.number("cpu.1.reg.rsp")) << technique;
  }
}

TEST_F(SnapshotTest, IsPrivateDescribedAndNeverReplacedUnasked) {
  const auto manifest = snapshot("image");
  EXPECT_THAT(names_in(folder_.path()), UnorderedElementsAre("image", "image.json"));
  for (const char* name : {"image", "image.json"}) {
    struct stat info {};
    ASSERT_EQ(stat(file(name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600U) << name;
  }
  const Finished sum = run({"sha256sum", file("image").string()}, std::chrono::minutes(1));
  EXPECT_EQ(sum.output.substr(0, 64), manifest["image"]["sha256"]);
  EXPECT_EQ(manifest["image"]["bytes"], fs::file_size(file("image")));
  EXPECT_EQ(nlohmann::json::parse(read_file(file("image.json"))), manifest);
  const std::string image = file("image").string();
  const Finished refused = vitrine({"snapshot", guest().name(), "-o", image});
  EXPECT_EQ(refused.status, 2) << refused.errors;
  EXPECT_THAT(refused.errors, testing::HasSubstr("--force"));
  fs::remove(file("image"));
  EXPECT_EQ(vitrine({"snapshot", guest().name(), "-o", image}).status, 2)
      << "the manifest would be replaced";
  const auto forced = snapshot("image", {"--force"});
  EXPECT_GE(std::string(forced["started"]), std::string(manifest["ended"]));
}

TEST_F(SnapshotTest, OmitsNothingThatIsInUse) {
  // Page cache that need not be saved: what was written to a disk and has arrived there. Linux
  // drops a disk's cache once nobody has the disk open.
  guest().run(
      "for module in /modules/*zsmalloc.ko /modules/*zram.ko; do insmod $module; done; "
      "echo deflate > /sys/block/zram0/comp_algorithm && echo 32M > /sys/block/zram0/disksize && "
      "{ sleep 100000 < /dev/zram0 > /dev/null 2>&1 & } && "
      "dd if=/dev/urandom of=/dev/zram0 bs=1M count=16 2>/dev/null && sync && sleep 1");
  // And memory that was used and is free again.
  guest().run("dd if=/dev/urandom of=/tmp/fill bs=1M count=40 2>/dev/null; rm /tmp/fill");
  stop();
  const auto whole = snapshot("whole", {"--format", "raw"});
  const auto part =
      snapshot("part", {"--format", "kdump", "--skip", "free,zero,cache", "--pause", "vmm"});
  const auto& pages = part["pages"];
  std::cout << "whole image: " << whole["image"]["allocated_bytes"]
            << " bytes on the disk, without pages that need not be saved: "
            << part["image"]["allocated_bytes"] << "; pages " << pages.dump() << std::endl;
  EXPECT_GT(pages["cache"], (12 << 20) / kPage) << "the disk's page cache";
  EXPECT_GT(pages["free"], (32 << 20) / kPage) << "what was freed";
  EXPECT_LT(pages["written"].get<std::uint64_t>() * 2,
            whole["pages"]["written"].get<std::uint64_t>());

  RawReader memory(file("whole"));
  DumpMemory image(file("part"), ram());
  const std::set<std::uint64_t> left_out = pages_left_out(image, memory);
  EXPECT_EQ(left_out.size(), pages["cache"].get<std::size_t>() + pages["free"].get<std::size_t>());
  // The kernel is found in the image alone.
  const auto kernel = kernel::locate(image, {});
  ASSERT_TRUE(kernel) << to_string(kernel.error());
  memory::Reader physical(image);
  Reader reader(kernel->space, physical);
  reader.begin();
  expect_same_processes(*kernel, image, reader);
  const std::set<std::uint64_t> used = pages_of_processes(*kernel, reader, memory);
  EXPECT_GT(used.size(), 500U);
  std::vector<std::uint64_t> missing;
  std::ranges::set_intersection(used, left_out, std::back_inserter(missing));
  EXPECT_THAT(missing, IsEmpty()) << "of " << used.size() << " pages of processes";
}

TEST_F(SnapshotTest, LeavesNothingWhenItIsInterrupted) {
  for (const int number : {SIGINT, SIGTERM, SIGKILL})
    for (const int delay : {100, 400, 900, 1600}) {
      const std::vector<std::string> arguments{
          "snapshot", guest().name(), "-o",      file("image").string(),
          "--format", "kdump",        "--pause", "vmm"};
      Subprocess snapshot(vitrine_command(arguments), guest().folder() / "out",
                          guest().folder() / "err");
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      snapshot.signal(number);
      ASSERT_TRUE(snapshot.wait(std::chrono::seconds(30)));
      // Whole before the signal came, or nothing.
      if (snapshot.status() == 0) {
        EXPECT_EQ(names_in(folder_.path()).size(), 2U);
        fs::remove(file("image"));
        fs::remove(file("image.json"));
      }
      EXPECT_THAT(names_in(folder_.path()), IsEmpty()) << number << " after " << delay << " ms";
    }
  for (int i = 0; i < 100; ++i) {
    if (QmpClient(guest().qmp()).execute("query-status").at("status") == "running") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL() << "the guest was left stopped";
}

TEST_F(SnapshotTest, SaysWhyItCannotBeWritten) {
  const Finished absent =
      vitrine({"snapshot", guest().name(), "-o", file("none/image").string(), "--json"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_EQ(nlohmann::json::parse(absent.errors)["error"]["code"], "absent");
  const Finished unknown =
      vitrine({"snapshot", guest().name(), "-o", file("x").string(), "--format", "vhd"});
  EXPECT_EQ(unknown.status, 2);
  const Finished full = run(
      {"bash", "-c",
       "ulimit -f 20000; trap '' XFSZ; " +
           shell_line(vitrine_command({"snapshot", guest().name(), "-o", file("full").string()}))},
      std::chrono::minutes(2));
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.errors, testing::HasSubstr("cannot write"));
  EXPECT_THAT(names_in(folder_.path()), IsEmpty());
}

}  // namespace
}  // namespace vitrine::live
