#include "vitrine/vmm/outside_writers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Kind = KernelWriter::Kind;

constexpr std::string_view kRam =
    "7f0000000000-7f0040000000 rw-s 00000000 00:01 77                         /memfd:ram "
    "(deleted)\n";
constexpr std::string_view kReadOnlyRam =
    "7f0000000000-7f0040000000 r--s 00000000 00:01 77                         /memfd:ram "
    "(deleted)\n";
constexpr std::string_view kPrivateRam =
    "7f0000000000-7f0040000000 rw-p 00000000 00:01 77                         /memfd:ram "
    "(deleted)\n";

MATCHER_P2(Writer, kind, words, "") { return arg.kind == kind && arg.words == words; }

class OutsideWriters : public ::testing::Test {
 protected:
  OutsideWriters() {
    proc_.write("12/maps", kRam);
    proc_.link("12/fd/0", "/dev/null");
    machine_.process.pid = 12;
    RamRegion region;
    region.size = 1 << 30;
    region.shared = true;
    region.dev_minor = 1;
    region.inode = 77;
    layout_.regions.push_back(region);
  }

  host::testing::FakeProc proc_;
  Machine machine_;
  RamLayout layout_;
};

TEST_F(OutsideWriters, AnOrdinaryVmmHasNone) {
  proc_.link("12/fd/1", "anon_inode:[eventfd]");
  proc_.link("12/fd/2", "/dev/vfio-not-quite");
  EXPECT_THAT(kernel_writers(machine_, proc_.root()).value(), IsEmpty());
}

TEST_F(OutsideWriters, DescriptorsTellThem) {
  proc_.link("12/fd/3", "/dev/vhost-net");
  proc_.link("12/fd/4", "/dev/vhost-net");
  EXPECT_THAT(kernel_writers(machine_, proc_.root()).value(),
              ElementsAre(Writer(Kind::vhost, "vhost (/dev/vhost-net)")));
  proc_.link("12/fd/5", "anon_inode:[io_uring]");
  proc_.link("12/fd/6", "/dev/vfio/31");
  EXPECT_EQ(kernel_writers(machine_, proc_.root()).value().size(), 3U);
}

TEST_F(OutsideWriters, EachDescriptorHasItsKind) {
  proc_.link("12/fd/3", "/dev/sg2");
  proc_.link("12/fd/4", "anon_inode:[io_uring]");
  proc_.link("12/fd/5", "/dev/infiniband/uverbs0");
  const auto found = kernel_writers(machine_, proc_.root()).value();
  EXPECT_THAT(found, UnorderedElementsAre(
                         Writer(Kind::pass_through, "SCSI pass-through (/dev/sg2)"),
                         Writer(Kind::asynchronous_io, "asynchronous I/O (anon_inode:[io_uring])"),
                         Writer(Kind::rdma, "RDMA (/dev/infiniband/uverbs0)")));
}

TEST_F(OutsideWriters, MappingsTellThem) {
  proc_.write("12/maps", std::string(kRam) +
                             "7f1000000000-7f1000001000 rw-s 00000000 00:0f 9    /[aio] (deleted)\n"
                             "7f1000002000-7f1000003000 rw-s 00000000 00:08 99   socket:[123]\n");
  EXPECT_THAT(kernel_writers(machine_, proc_.root()).value(),
              ElementsAre(Writer(Kind::asynchronous_io, "asynchronous I/O (/[aio] (deleted))"),
                          Writer(Kind::packet_ring, "a packet ring (socket:[123])")));
}

TEST_F(OutsideWriters, WhatCannotBeListedIsAnError) {
  machine_.process.pid = 13;
  EXPECT_FALSE(kernel_writers(machine_, proc_.root()));
  proc_.write("13/maps", kRam);
  EXPECT_FALSE(kernel_writers(machine_, proc_.root()));
}

TEST_F(OutsideWriters, AnotherProcessThatMapsTheRamForWriting) {
  proc_.process(20, "virtiofsd", "virtiofsd", "/bin/x");
  proc_.write("20/maps", kRam);
  proc_.process(21, "reader", "reader", "/bin/x");
  proc_.write("21/maps", kReadOnlyRam);
  proc_.process(22, "copier", "copier", "/bin/x");
  proc_.write("22/maps", kPrivateRam);
  EXPECT_THAT(sharing_writers(machine_, layout_, proc_.root()),
              ElementsAre("process virtiofsd (20)"));
  layout_.regions[0].shared = false;
  EXPECT_THAT(sharing_writers(machine_, layout_, proc_.root()), IsEmpty());
}

}  // namespace
}  // namespace vitrine::vmm
