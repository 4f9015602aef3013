#include "vitrine/host/disk_writes.h"

#include <gtest/gtest.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::host {
namespace {

TEST(DiskWrites, AreTheKernelsCountOfBytes) {
  testing::FakeProc proc;
  proc.write("12/io",
             "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 8192\n"
             "cancelled_write_bytes: 4096\n");
  EXPECT_EQ(written_to_disks(proc.root(), 12), 8192U);
}

TEST(DiskWrites, AreUnknownWhereTheKernelDoesNotTell) {
  testing::FakeProc proc;
  EXPECT_FALSE(written_to_disks(proc.root(), 12));
  for (const char* damaged :
       {"", "cancelled_write_bytes: 4096\n", "rchar: 1\nwrite_bytes: \n",
        "rchar: 1\nwrite_bytes: 99999999999999999999999\n", "rchar: 1\nwrite_bytes: 12"}) {
    proc.write("12/io", damaged);
    EXPECT_FALSE(written_to_disks(proc.root(), 12)) << damaged;
  }
}

}  // namespace
}  // namespace vitrine::host
