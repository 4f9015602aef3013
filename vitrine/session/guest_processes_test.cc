#include "vitrine/session/guest_processes.h"

#include <gtest/gtest.h>

namespace vitrine::session {
namespace {

std::string line(const std::string& pid, const std::string& comm) {
  return pid + " (" + comm + ") S 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 3 0 7777 123 45\n";
}

TEST(GuestProcesses, AreReadFromTheLinesOfStat) {
  const auto processes = parse_guest_processes(line("12", "sshd") + line("13", "kworker/0:1"));
  ASSERT_EQ(processes.size(), 2u);
  EXPECT_EQ(processes[0].pid, 12);
  EXPECT_EQ(processes[0].ppid, 1);
  EXPECT_EQ(processes[0].comm, "sshd");
  EXPECT_EQ(processes[0].state, 'S');
  EXPECT_EQ(processes[0].start_ticks, 7777u);
  EXPECT_EQ(processes[1].comm, "kworker/0:1");
}

TEST(GuestProcesses, NamesMayHoldWhatSeparatesFields) {
  for (const char* comm : {") R 1 (", "a b", "(", ")", "a\nb", "\n\n\n", "7 (x) S"}) {
    const auto processes =
        parse_guest_processes(line("11", "a") + line("12", comm) + line("13", "b"));
    ASSERT_EQ(processes.size(), 3u) << comm;
    EXPECT_EQ(processes[1].comm, comm);
    EXPECT_EQ(processes[2].pid, 13);
  }
}

TEST(GuestProcesses, DamagedLinesAreLeftOut) {
  EXPECT_TRUE(parse_guest_processes("").empty());
  EXPECT_TRUE(parse_guest_processes("cat: x: No such file\n\n12 (a) S 1\n").empty());
  EXPECT_TRUE(parse_guest_processes(line("-3", "a") + line("x", "b")).empty());
  const auto after = parse_guest_processes("12 (cut off) S\n" + line("13", "whole"));
  ASSERT_EQ(after.size(), 1u);
}

}  // namespace
}  // namespace vitrine::session
