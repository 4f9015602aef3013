#include "vitrine/vmm/libvirt_daemons.h"

#include <gmock/gmock.h>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::vmm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LibvirtDaemons, AreThoseThatListen) {
  host::testing::FakeProc proc;
  proc.write(
      "net/unix",
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 10 /run/libvirt/libvirt-sock\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/libvirt/libvirt-sock-ro\n"
      "0000000000000000: 00000003 00000000 00000000 0001 03 12 /run/libvirt/libvirt-sock\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 13 @/libvirt/libvirt-sock\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 14\n"
      "0000000000000000: 00000002 00000000 00010000 0001 01 15 "
      "/run/user/1000/a&b/libvirt/virtqemud-sock\n");
  EXPECT_THAT(libvirt_daemons(proc.root()),
              ElementsAre(LibvirtDaemon{"qemu+unix:///session?socket=/run/user/1000/a%26b/libvirt/"
                                        "virtqemud-sock",
                                        "qemu:///session"},
                          LibvirtDaemon{"qemu+unix:///system?socket=/run/libvirt/libvirt-sock",
                                        "qemu:///system"}));
}

TEST(LibvirtDaemons, AreNoneWhereNothingCanBeSeen) {
  host::testing::FakeProc proc;
  EXPECT_THAT(libvirt_daemons(proc.root()), IsEmpty());
}

TEST(DomainName, MayNameItsDaemon) {
  const LibvirtDaemon system{"qemu+unix:///system?socket=/run/libvirt/libvirt-sock",
                             "qemu:///system"};
  const LibvirtDaemon session{"qemu+unix:///session?socket=/x", "qemu:///session"};
  const auto plain = DomainName::parse("web 1");
  EXPECT_EQ(plain.name, "web 1");
  EXPECT_TRUE(plain.may_be_at(system) && plain.may_be_at(session));
  const auto of_system = DomainName::parse("qemu:///system/web");
  EXPECT_EQ(of_system.name, "web");
  EXPECT_TRUE(of_system.may_be_at(system));
  EXPECT_FALSE(of_system.may_be_at(session));
  const auto of_socket = DomainName::parse("qemu+unix:///session?socket=/x/web");
  EXPECT_TRUE(of_socket.may_be_at(session));
  EXPECT_FALSE(of_socket.may_be_at(system));
}

}  // namespace
}  // namespace vitrine::vmm
