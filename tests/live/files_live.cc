// The view `files` (lsof) against the guest's own /proc/PID/fd and fdinfo.
#include <set>
#include <sstream>

#include "tests/live/view_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// "PID FD POSITION FLAGS PATH" for each open file, " (deleted)" as the guest appends it.
std::multiset<std::string> own_files(Guest& guest, const std::string& pids) {
  std::istringstream lines(
      guest.run("for pid in " + pids +
                "; do for fd in /proc/$pid/fd/*; do n=${fd##*/}; "
                "i=/proc/$pid/fdinfo/$n; [ -e $i ] || continue; "
                "echo $pid $n $(sed -n 's/^pos:[[:space:]]*//p' $i) "
                "$(sed -n 's/^flags:[[:space:]]*//p' $i) \"$(readlink $fd)\"; done; done"));
  std::multiset<std::string> files;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    files.insert(line);
  }
  return files;
}

std::string file_line(const json& row) {
  std::ostringstream line;
  line << row.at("pid") << ' ' << row.at("fd") << ' ' << row.at("offset") << ' '
       << row.at("flags").get<std::string>() << ' ' << row.at("path").get<std::string>();
  if (row.at("deleted")) line << " (deleted)";
  return line.str();
}

json open_file(const json& rows, const std::string& use, const std::string& pid) {
  for (const json& row : rows)
    if (row.at("use") == use && row.at("pid") == std::stoi(pid)) return row;
  return {};
}

// Files of every kind, across mounts, in processes that then sleep.
std::string open_files(Guest& guest) {
  guest.run(
      "mkdir -p /mnt/a /tmp/bound && mount -t tmpfs outer /mnt/a && mkdir -p /mnt/a/b/c && "
      "mount -t tmpfs inner /mnt/a/b/c && mkdir -p /mnt/a/b/c/deep/deeper && "
      "echo 12345 >/mnt/a/b/c/deep/deeper/file && echo x >/mnt/a/plain && "
      "mount -o rbind /mnt/a/b /tmp/bound && echo gone >/tmp/gone && mkdir -p /tmp/jail/bin && "
      "cp /bin/busybox /tmp/jail/bin/sleep");
  const std::string one = guest.run(
      "(cd /mnt/a/b/c/deep; exec 3</mnt/a/b/c/deep/deeper/file 4>>/mnt/a/plain 5<>/tmp/gone "
      "6</tmp/bound/c/deep/deeper/file 7</mnt/a 8</proc/self/ns/mnt 9</dev/null; rm /tmp/gone; "
      "read -r first <&3; exec sleep 1000) >/dev/null 2>&1 & echo -n $!");
  const std::string two = guest.run("sleep 1000 2>&1 | cat >/dev/null & echo -n $!");
  const std::string jailed =
      guest.run("chroot /tmp/jail /bin/sleep 1000 >/dev/null 2>&1 & echo -n $!");
  guest.run("nc -l -p 4321 >/dev/null 2>&1 & sleep 1");
  return one + " " + two + " " + jailed + " $(pidof nc)";
}

class FilesTest : public ViewTest {};

TEST_P(FilesTest, AreThoseOfTheGuestsOwnProc) {
  Guest& guest = this->guest();
  const std::string pids = guest.run("echo -n " + open_files(guest));
  const std::multiset<std::string> own = own_files(guest, pids);
  ASSERT_GT(own.size(), 15U);
  const json rows = vitrine_json({"lsof", guest.name()}).at("rows");
  std::set<std::int64_t> wanted;
  std::istringstream numbers(pids);
  for (std::int64_t pid = 0; numbers >> pid;) wanted.insert(pid);
  std::multiset<std::string> ours;
  for (const json& row : rows)
    if (row.at("use") == "fd" && wanted.contains(row.at("pid"))) ours.insert(file_line(row));
  EXPECT_EQ(ours, own);

  const std::string first = pids.substr(0, pids.find(' '));
  for (const auto& [use, link] : {std::pair{"cwd", "cwd"}, {"root", "root"}, {"exe", "exe"}})
    EXPECT_EQ(open_file(rows, use, first).at("path").get<std::string>() + "\n",
              guest.run("readlink /proc/" + first + "/" + link))
        << use;
  std::istringstream third(pids);
  std::string jailed;
  for (int i = 0; i < 3; ++i) third >> jailed;
  EXPECT_EQ(open_file(rows, "root", jailed).at("path"), "/tmp/jail");
  const json of_one = vitrine_json({"lsof", guest.name(), first}).at("rows");
  for (const json& row : of_one) EXPECT_EQ(row.at("pid"), std::stoi(first));
  const json file = vitrine_json({"lsof", guest.name(), first, "--where", "fd = 3"}).at("rows")[0];
  EXPECT_EQ(file.at("size_bytes"), 6);
  EXPECT_EQ(file.at("type"), "file");
  EXPECT_EQ(file.at("access"), "r");
  EXPECT_EQ(file.at("links"), 1);
  const std::string stat = guest.run("stat -c '%i' /mnt/a/b/c/deep/deeper/file");
  EXPECT_EQ(std::to_string(file.at("inode").get<std::uint64_t>()) + "\n", stat);
  EXPECT_EQ(
      vitrine_json({"lsof", guest.name(), first, "--where", "fd = 9"}).at("rows")[0].at("device"),
      "1:3");
}

INSTANTIATE_TEST_SUITE_P(Debian, FilesTest,
                         testing::Values("5.10", "6.1", "6.12", "7", "6.1-arm64"), linux_name);

// Fields of /proc/PID/mountinfo: id, parent, device, root, path, options; and behind "-" the type
// and the source.
std::multiset<std::string> own_mounts(Guest& guest, const std::string& pid) {
  std::istringstream lines(guest.run("cat /proc/" + pid + "/mountinfo"));
  std::multiset<std::string> mounts;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string mount;
    std::string word;
    for (int i = 0; i < 6 && words >> word; ++i) mount += word + ' ';
    while (words >> word && word != "-") continue;
    words >> word;
    mount += word + ' ';
    words >> word;
    mounts.insert(mount + word);
  }
  return mounts;
}

std::multiset<std::string> mounts_of(const json& rows, std::uint64_t name_space) {
  std::multiset<std::string> mounts;
  for (const json& row : rows) {
    // No process sees what the root file system is mounted on (since 7.0).
    if (row.at("namespace") != name_space || row.at("type") == "nullfs") continue;
    std::ostringstream line;
    line << row.at("id") << ' ' << row.at("parent") << ' ' << row.at("device").get<std::string>()
         << ' ' << row.at("root").get<std::string>() << ' ' << row.at("path").get<std::string>()
         << ' ' << row.at("options").get<std::string>() << ' ' << row.at("type").get<std::string>()
         << ' ' << row.at("source").get<std::string>();
    mounts.insert(line.str());
  }
  return mounts;
}

class MountTest : public ViewTest {};

// In two namespaces, of which the second has mounts of its own.
TEST_P(MountTest, AreThoseOfTheGuestsOwnProc) {
  Guest& guest = this->guest();
  open_files(guest);
  const std::string other = guest.run(
      "unshare -m sh -c 'mount -t tmpfs -o ro,nosuid,nodev,noexec,noatime own /mnt; exec sleep "
      "1000' "
      ">/dev/null 2>&1 & sleep 1; echo -n $!");
  const json rows = vitrine_json({"mount", guest.name()}).at("rows");
  for (const std::string& pid : {std::string("1"), other}) {
    const std::string link = guest.run("readlink /proc/" + pid + "/ns/mnt");
    const std::uint64_t number = std::stoull(link.substr(link.find('[') + 1));
    const auto own = own_mounts(guest, pid);
    EXPECT_GT(own.size(), 5U);
    EXPECT_EQ(mounts_of(rows, number), own) << pid;
  }
}

INSTANTIATE_TEST_SUITE_P(Debian, MountTest,
                         testing::Values("5.10", "6.1", "6.12", "7", "6.1-arm64"), linux_name);

TEST(FilesOf, AProcessThatIsNoneAreNotFound) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  Guest guest({.name = "files-of"});
  const Finished none = vitrine({"lsof", guest.name(), "99999"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.errors, HasSubstr("no process 99999"));
}

}  // namespace
}  // namespace vitrine::live
