// The views `directory` (dir) and `content` (cat) against the guest's own stat and sha256sum.
#include <sys/stat.h>

#include <set>
#include <sstream>

#include "tests/live/disk.h"
#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class DirectoryTest : public testing::TestWithParam<const char*> {};

// "NAME|MODE|UID|GID|SIZE|LINKS|INODE|MTIME" for each entry, as the guest itself tells.
std::multiset<std::string> own_entries(Guest& guest, const std::string& directory) {
  std::istringstream lines(guest.run("cd '" + directory +
                                     "' && ls -A | while read -r f; do "
                                     "stat -c '%n|%a|%u|%g|%s|%h|%i|%Y' \"$f\"; done"));
  std::multiset<std::string> entries;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    entries.insert(line);
  }
  return entries;
}

std::string line_of(const json& row) {
  std::ostringstream line;
  const std::string mode = row.at("mode");
  line << row.at("name").get<std::string>() << '|' << std::oct << std::stoi(mode, nullptr, 8)
       << std::dec << '|' << row.at("uid") << '|' << row.at("gid") << '|' << row.at("size_bytes")
       << '|' << row.at("links") << '|' << row.at("inode") << '|'
       << row.at("mtime_ns").get<std::int64_t>() / 1'000'000'000;
  return line.str();
}

json entries(Guest& guest, const std::string& path, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"dir", guest.name(), path};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return vitrine_json(arguments).at("rows");
}

json entry_named(const json& rows, const std::string& name) {
  for (const json& row : rows)
    if (row.at("name") == name) return row;
  return {};
}

void compare_directory(Guest& guest, const std::string& path) {
  std::multiset<std::string> ours;
  for (const json& row : entries(guest, path))
    if (!row.at("deleted")) ours.insert(line_of(row));
  EXPECT_EQ(ours, own_entries(guest, path)) << path;
  EXPECT_FALSE(ours.empty()) << path;
}

// Files of all kinds and sizes on a file system in memory, some of them by roundabout ways.
void make_files(Guest& guest) {
  guest.run(
      "echo x >/tmp/file && mkdir -p /mnt/a && mount -t tmpfs outer /mnt/a && cd /mnt/a && mkdir "
      "-m 1750 sub inner && "
      "mount -t tmpfs inner inner && mkdir -p inner/deep && echo deep >inner/deep/file && "
      ": >empty && echo -n x >one && chown 1000:1001 one && chmod 4711 one && "
      "dd if=/dev/urandom of=less bs=4095 count=1 && dd if=/dev/urandom of=page bs=4096 count=1 && "
      "dd if=/dev/urandom of=mib bs=1M count=1 && dd if=/dev/urandom of=large bs=1M count=5 && "
      "dd if=/dev/urandom of=sparse bs=4096 count=2 seek=3000 && "
      "dd if=/dev/urandom of=sparse bs=100 count=1 seek=7 conv=notrunc && "
      "mkfifo fifo && mknod device c 1 3 && ln one hard && ln -s one relative && "
      "ln -s /mnt/a/inner/../inner/deep absolute && ln -s ../../bin up && "
      "ln -s \"$(printf %0200d 0)\" long && touch -d '2001-02-03 04:05:06' empty");
}

void compare_content(Guest& guest, const std::string& path) {
  // The guest's own look comes first: it brings into memory what was not there.
  const std::string own = guest.run("sha256sum " + path);
  const json seen = vitrine_json({"cat", guest.name(), path});
  EXPECT_EQ(seen.at("file").at("sha256"), own.substr(0, 64)) << path << seen.dump(2);
  const std::string size = guest.run("stat -L -c %s " + path);
  EXPECT_EQ(std::to_string(seen.at("file").at("size_bytes").get<std::uint64_t>()) + "\n", size);
}

void compare_links_and_mounts(Guest& guest) {
  std::string names;
  for (const json& row : entries(guest, "/")) names += row.at("name").get<std::string>() + "\n";
  EXPECT_EQ(names, guest.run("ls -A / | LC_ALL=C sort"));
  const json outer = entries(guest, "/mnt/a");
  EXPECT_EQ(entry_named(outer, "relative").at("target"), "one");
  EXPECT_EQ(entry_named(outer, "relative").at("permissions"), "lrwxrwxrwx");
  EXPECT_EQ(entry_named(outer, "long").at("target"), std::string(200, '0'));
  EXPECT_EQ(entry_named(outer, "one").at("permissions"), "-rws--x--x");
  EXPECT_EQ(entry_named(outer, "device").at("device"), "1:3");
  EXPECT_EQ(entry_named(outer, "inner").at("mounted"), true);
  EXPECT_EQ(entry_named(outer, "sub").at("mounted"), false);
  EXPECT_EQ(entry_named(entries(guest, "/mnt/a/absolute"), "file").at("size_bytes"), 5);
  EXPECT_EQ(entry_named(entries(guest, "/mnt/a/inner/deep/../../up"), "busybox").at("type"),
            "file");
  EXPECT_EQ(entries(guest, "/mnt/a/sub/../one").at(0).at("size_bytes"), 1);
  const Finished none = vitrine({"dir", guest.name(), "/mnt/a/none"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("the guest has no \"none\""));
  EXPECT_EQ(vitrine({"dir", guest.name(), "relative"}).status, 2);
}

// A file system that is asked anew each time: what is cached of it need not be all.
void compare_what_is_made_up(Guest& guest) {
  guest.run("cat /proc/1/status /proc/meminfo >/dev/null");
  const json proc = vitrine_json({"dir", guest.name(), "/proc"}, 3);
  EXPECT_EQ(entry_named(proc.at("rows"), "meminfo").at("type"), "file");
  EXPECT_THAT(proc.at("warnings").dump(), HasSubstr("there may be more"));
  const Finished none = vitrine({"cat", guest.name(), "/proc/no-such-file"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("is not in the guest's cache"));
}

// Through another process's eyes, and by a descriptor whose file has lost its name.
void compare_of_processes(Guest& guest) {
  const std::string jailed = guest.run(
      "mkdir -p /tmp/jail/bin && cp /bin/busybox /tmp/jail/bin/sleep && "
      "(chroot /tmp/jail /bin/sleep 1000 >/dev/null 2>&1 & echo -n $!)");
  guest.run("sleep 1");
  EXPECT_EQ(entries(guest, "/..", {"--pid", jailed}).at(0).at("name"), "bin");
  const std::string holder = guest.run(
      "cd /mnt/a && echo content of a deleted file >gone && (exec 5<gone; rm gone; exec sleep "
      "1000) "
      ">/dev/null 2>&1 & echo -n $!");
  guest.run("sleep 1");
  const Finished gone = vitrine({"cat", guest.name(), "--pid", holder, "--fd", "5"});
  EXPECT_EQ(gone.output, "content of a deleted file\n") << gone.errors;
  EXPECT_EQ(gone.status, 0);
  EXPECT_EQ(entry_named(entries(guest, "/mnt/a"), "gone").at("deleted"), true);
  EXPECT_EQ(vitrine({"cat", guest.name(), "/mnt/a/gone"}).status, 1);
  EXPECT_EQ(vitrine({"cat", guest.name(), "--pid", holder, "--fd", "77"}).status, 1);
}

void compare_saved(Guest& guest) {
  const TemporaryFolder folder;
  const std::string file = folder.path() / "sparse";
  EXPECT_EQ(vitrine({"cat", guest.name(), "/mnt/a/sparse", "-o", file}).status, 0);
  const Finished hash = run({"sha256sum", file}, std::chrono::seconds(20));
  EXPECT_EQ(hash.output.substr(0, 64), guest.run("sha256sum /mnt/a/sparse").substr(0, 64));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_LT(status.st_blocks * 512, status.st_size / 10) << "holes stay holes";
  EXPECT_EQ(vitrine({"cat", guest.name(), "/mnt/a/one", "-o", file}).status, 2) << "it is there";
}

// A file of which the guest has dropped what nobody used, and then read a part again.
void compare_on_disk(Guest& guest) {
  guest.run(
      "mke2fs /dev/nvme0n1 && mkdir /disk && mount -t ext2 /dev/nvme0n1 /disk && cd /disk && "
      "dd if=/dev/urandom of=file bs=4096 count=256 && echo 1 >other && sync && cd / && "
      "echo 3 >/proc/sys/vm/drop_caches && "
      "dd if=/disk/file of=/dev/null bs=4096 skip=100 count=1");
  const std::string file = "/disk/file";
  const json part = vitrine_json({"cat", guest.name(), file}, 3);
  EXPECT_TRUE(part.at("file").at("sha256").is_null());
  EXPECT_GE(part.at("file").at("cached_bytes"), 4096);
  EXPECT_LT(part.at("file").at("cached_bytes"), 256 * 4096);
  std::uint64_t end = 0;
  for (const json& row : part.at("rows")) {
    EXPECT_EQ(row.at("offset"), end);
    EXPECT_TRUE(row.at("state") == "cached" || row.at("state") == "missing") << row;
    end += row.at("size_bytes").get<std::uint64_t>();
  }
  EXPECT_EQ(end, 256U * 4096);
  const Finished plain = vitrine({"cat", guest.name(), file});
  EXPECT_EQ(plain.status, 3);
  EXPECT_THAT(plain.errors, HasSubstr("missing"));
  EXPECT_EQ(plain.output.size(), 256U * 4096);
  const json directory = vitrine_json({"dir", guest.name(), "/disk"}, 3);
  EXPECT_EQ(entry_named(directory.at("rows"), "file").at("size_bytes"), 256 * 4096);
  EXPECT_TRUE(entry_named(directory.at("rows"), "other").is_null()) << "nobody looked at it since";
  EXPECT_THAT(vitrine({"cat", guest.name(), "/disk/other"}).errors,
              HasSubstr("is not in the guest's cache"));
  compare_content(guest, file);
}

TEST_P(DirectoryTest, AndContentAreTheGuestsOwn) {
  if (!kernel_available(GetParam())) GTEST_SKIP() << "SKIPPED: guest kernel " << GetParam();
  // Of those kernels, only that has drivers for a disk and its file system built in.
  const bool has_disk = std::string(GetParam()) == "7";
  const TemporaryFolder folder;
  GuestOptions options{.kernel = GetParam(), .name = std::string("directory-") + GetParam()};
  if (has_disk)
    options.arguments = {"-drive",
                         "file=" + make_disk(folder.path()) + ",if=none,id=disk,format=raw",
                         "-device", "nvme,drive=disk,serial=one"};
  Guest guest(options);
  make_files(guest);
  for (const char* path : {"/mnt/a", "/bin", "/tmp"}) compare_directory(guest, path);
  compare_links_and_mounts(guest);
  compare_what_is_made_up(guest);
  for (const char* path :
       {"/mnt/a/empty", "/mnt/a/one", "/mnt/a/less", "/mnt/a/page", "/mnt/a/mib", "/mnt/a/large",
        "/mnt/a/sparse", "/bin/busybox", "/init", "/mnt/a/absolute/file"})
    compare_content(guest, path);
  compare_saved(guest);
  compare_of_processes(guest);
  if (has_disk) compare_on_disk(guest);
  const Finished text = vitrine({"cat", guest.name(), "/init"});
  EXPECT_EQ(text.output, guest.run("cat /init"));
  EXPECT_EQ(vitrine({"cat", guest.name(), "/mnt"}).status, 1);
}

INSTANTIATE_TEST_SUITE_P(Debian, DirectoryTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
