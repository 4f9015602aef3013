// What is told of a process's memory, and saved of it, against the guest's own /proc and in gdb.
#include <fmt/format.h>

#include <sstream>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// "START-END PERMISSIONS OFFSET DEVICE INODE NAME", as /proc has them but for the blanks.
std::vector<std::string> own_regions(Guest& guest, const std::string& pid) {
  std::istringstream lines(guest.run("cat /proc/" + pid + "/maps"));
  std::vector<std::string> regions;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t name = line.find_first_not_of(" 0123456789", line.find(':') + 3);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    regions.push_back(name >= line.size()
                          ? line
                          : line.substr(0, line.find_last_not_of(' ', name - 1) + 1) + " " +
                                line.substr(name));
  }
  return regions;
}

std::uint64_t address(const json& row, const char* column) {
  return std::stoull(row.at(column).get<std::string>(), nullptr, 16);
}

// A line feed in a name would end the line.
std::string on_one_line(const std::string& name) {
  std::string text;
  for (const char character : name)
    text += character == '\n' ? std::string("\\012") : std::string(1, character);
  return text;
}

std::string region_line(const json& row) {
  unsigned major = 0;
  unsigned minor = 0;
  if (row.at("device").is_string())
    std::sscanf(row.at("device").get<std::string>().c_str(), "%u:%u", &major, &minor);
  std::string line =
      fmt::format("{:08x}-{:08x} {} {:08x} {:02x}:{:02x} {}", address(row, "start"),
                  address(row, "end"), row.at("permissions").get<std::string>(),
                  row.at("offset").is_null() ? 0 : row.at("offset").get<std::uint64_t>(), major,
                  minor, row.at("inode").is_null() ? 0 : row.at("inode").get<std::uint64_t>());
  if (row.at("path").is_string())
    line += " " + on_one_line(raw_bytes(row.at("path").get<std::string>()));
  const bool named_by_the_process = line.find("[anon_shmem:") != std::string::npos;
  if (row.at("deleted").is_boolean() && row.at("deleted") && !named_by_the_process)
    line += " (deleted)";
  return line;
}

std::vector<std::string> lines_of(const json& rows, const std::string& pid) {
  std::vector<std::string> lines;
  for (const json& row : rows)
    if (row.at("pid") == std::stoi(pid)) lines.push_back(region_line(row));
  return lines;
}

// Bytes in memory and on swap of each region, by its first address. Pages of hugetlbfs are counted
// apart there.
std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> own_pages(Guest& guest,
                                                                           const std::string& pid) {
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> pages;
  std::istringstream lines(guest.run("grep -E '^[0-9a-f]+-|^Rss:|_Hugetlb:|^Swap:' /proc/" + pid +
                                     "/smaps | cut -c 1-40"));
  std::uint64_t start = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::uint64_t kib = 0;
    words >> word;
    if (word.back() != ':') {
      start = std::stoull(word, nullptr, 16);
      pages[start] = {};
      continue;
    }
    words >> kib;
    (word == "Swap:" ? pages[start].second : pages[start].first) += kib << 10;
  }
  return pages;
}

class MapsTest : public testing::TestWithParam<const char*> {
 protected:
  // A process with regions of every kind, some of it on swap where the kernel has a module for
  // that.
  static std::string start(Guest& guest) {
    guest.run(
        // Nothing is to change the pages of a process that sleeps.
        "echo 0 > /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none; "
        "echo 3 > /proc/sys/vm/nr_hugepages; for module in /modules/*zsmalloc.ko "
        "/modules/*zram.ko; do [ -e $module ] && insmod $module; done; "
        "[ -e /sys/block/zram0 ] && echo deflate > /sys/block/zram0/comp_algorithm; "
        "[ -e /sys/block/zram0 ] && echo 64M > /sys/block/zram0/disksize && "
        "mkswap /dev/zram0 && swapon /dev/zram0; "
        "env -i NAME=value EMPTY= TWO=a=b guest_tool regions");
    return guest.run("cut -d ' ' -f 1 /tmp/regions | tr -d '\\n'");
  }
  static bool has_swap(Guest& guest) {
    return guest.run("cat /proc/swaps").find("zram") != std::string::npos;
  }

  static void compare_regions(Guest& guest, const std::string& pid);
  static void compare_pages(Guest& guest, const std::string& pid);
  static void compare_strings(Guest& guest, const std::string& pid);
  static void debug(Guest& guest, const std::string& pid);
};

void MapsTest::compare_regions(Guest& guest, const std::string& pid) {
  const std::string shell = guest.run("sleep 1000 >/dev/null 2>&1 & echo -n $!");
  const std::string threads = guest.run(
      "for c in /proc/[0-9]*/comm; do grep -q many-threads $c && p=${c%/comm}; done; "
      "echo -n ${p#/proc/}");
  const json rows = vitrine_json({"maps", guest.name()}).at("rows");
  for (const std::string& each : {pid, shell, threads, std::string("1")}) {
    const auto own = own_regions(guest, each);
    EXPECT_GT(own.size(), each == pid ? 600U : 5U);
    EXPECT_EQ(lines_of(rows, each), own) << each;
  }
  EXPECT_EQ(lines_of(vitrine_json({"maps", guest.name(), pid}).at("rows"), pid),
            lines_of(rows, pid));
  EXPECT_THAT(vitrine({"maps", guest.name(), "2"}).errors, HasSubstr("kernel's threads"));
}

void MapsTest::compare_pages(Guest& guest, const std::string& pid) {
  const json rows = vitrine_json({"maps", guest.name(), pid, "--pages"}).at("rows");
  const auto own = own_pages(guest, pid);
  std::uint64_t swapped = 0;
  std::uint64_t resident = 0;
  for (const json& row : rows) {
    if (row.at("path") == "[vsyscall]") continue;
    const auto found = own.find(address(row, "start"));
    ASSERT_NE(found, own.end()) << row;
    EXPECT_EQ(row.at("resident_bytes"), found->second.first) << row;
    EXPECT_EQ(row.at("swapped_bytes"), found->second.second) << row;
    swapped += row.at("swapped_bytes").get<std::uint64_t>();
    resident += row.at("resident_bytes").get<std::uint64_t>();
  }
  EXPECT_GT(resident, 4U << 20);
  EXPECT_EQ(swapped > 0, has_swap(guest));
}

void MapsTest::compare_strings(Guest& guest, const std::string& pid) {
  const json environment = vitrine_json({"environ", guest.name(), pid}).at("rows");
  std::string own;
  for (const json& row : environment)
    own += row.at("name").get<std::string>() + "=" + row.at("value").get<std::string>() + "\n";
  EXPECT_EQ(own, guest.run("tr '\\000' '\\n' < /proc/" + pid + "/environ"));
  EXPECT_EQ(environment.size(), 3U);
  std::map<std::string, std::string> lines;  // by process
  const json arguments = vitrine_json({"cmdline", guest.name()}).at("rows");
  for (const json& row : arguments)
    lines[std::to_string(row.at("pid").get<int>())] += row.at("argument").get<std::string>() + "\n";
  for (const char* name : {"arguments with", "regions"}) {
    const std::string found =
        guest.run(std::string("for p in /proc/[0-9]*; do grep -q -a '") + name +
                  "' $p/cmdline 2>/dev/null && [ $p != /proc/$$ ] && echo ${p#/proc/}; done | "
                  "head -n 1 | tr -d '\\n'");
    EXPECT_EQ(lines[found], guest.run("tr '\\000' '\\n' < /proc/" + found + "/cmdline")) << name;
  }
  const json program = vitrine_json({"exe", guest.name(), pid}).at("rows").at(0);
  EXPECT_EQ(program.at("path").get<std::string>() + "\n",
            guest.run("readlink /proc/" + pid + "/exe"));
  EXPECT_FALSE(program.at("deleted"));
}

// The core in gdb, with the program from the guest's initramfs.
void MapsTest::debug(Guest& guest, const std::string& pid) {
  const TemporaryFolder work;
  const std::string core = work.path() / "core";
  const json saved =
      vitrine_json({"memory", guest.name(), pid, "-o", core}, has_swap(guest) ? 3 : 0);
  EXPECT_EQ(saved.at("process").at("comm"), "regions");
  EXPECT_EQ(saved.at("process").at("threads"), 1);
  EXPECT_EQ(saved.at("process").at("unreadable_bytes"), 0);
  const Finished unpacked =
      run({"sh", "-c", "cd \"$0\" && gzip -dc \"$1\" | cpio -id --quiet bin/guest_tool",
           work.path().string(), (guest_assets() / "initramfs.cpio.gz").string()},
          std::chrono::seconds(20));
  ASSERT_EQ(unpacked.status, 0) << unpacked.errors;
  std::istringstream told(guest.run("cat /tmp/regions"));
  std::string pattern;
  told >> pattern >> pattern;
  const Finished shown = run(
      {"gdb", "-batch", "-nx", "-ex", "x/s " + pattern, "-ex", "printf \"%#lx %#lx\\n\", $sp, $pc",
       "-ex", "backtrace", (work.path() / "bin/guest_tool").string(), core},
      std::chrono::seconds(60));
  EXPECT_THAT(shown.output, HasSubstr("\"vitrine pattern 0123456789 abcdef\"")) << shown.errors;
  // Number and arguments of the system call, the stack pointer, and where it goes on.
  std::istringstream call(guest.run("cat /proc/" + pid + "/syscall"));
  std::string words;
  std::string sp;
  std::string pc;
  for (int i = 0; i < 7; ++i) call >> words;
  call >> sp >> pc;
  EXPECT_THAT(shown.output, HasSubstr(sp + " " + pc)) << shown.errors;
  EXPECT_THAT(shown.output, testing::ContainsRegex("innermost.*\n.* middle .*\n.* regions .*\n"))
      << shown.errors;
}

TEST_P(MapsTest, AreThoseOfTheGuestsOwnProc) {
  if (!kernel_available(GetParam())) GTEST_SKIP() << "SKIPPED: guest kernel " << GetParam();
  Guest guest({.kernel = GetParam(), .name = std::string("maps-") + GetParam()});
  const std::string pid = start(guest);
  compare_regions(guest, pid);
  compare_pages(guest, pid);
  compare_strings(guest, pid);
  debug(guest, pid);
}

INSTANTIATE_TEST_SUITE_P(Debian, MapsTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
