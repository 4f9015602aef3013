#include "vitrine/vmm/command_line.h"

#include <gtest/gtest.h>

namespace vitrine::vmm {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kGibibyte = 1 << 30;

// Splits at blanks: no argument here holds one.
CommandLine parse(const std::string& text) {
  std::vector<std::string> arguments;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_of(" \n", at), text.size());
    if (end > at) arguments.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parse_command_line(arguments);
}

TEST(CommandLine, HasQemusDefaults) {
  const auto line = parse("qemu-system-x86_64 disk.img");
  EXPECT_EQ(line.program, "qemu-system-x86_64");
  EXPECT_EQ(line.memory, 128 * kMebibyte);
  EXPECT_EQ(line.accelerator, "tcg");
  EXPECT_TRUE(line.name.empty() && line.monitors.empty() && line.confidential.empty());
  EXPECT_FALSE(line.starts_paused);
}

TEST(CommandLine, AsLibvirtWritesIt) {
  const auto line = parse(R"(/usr/bin/qemu-system-x86_64 -name guest=web,debug-threads=on -S
    -object {"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/x.aes"}
    -machine pc-q35-7.2,usb=off,vmport=off,smm=on,dump-guest-core=off,memory-backend=pc.ram
    -accel kvm -cpu host,migratable=on -global driver=cfi.pflash01,property=secure,value=on
    -m size=2097152k,slots=16,maxmem=8388608k -overcommit mem-lock=off -smp 2,sockets=2
    -object {"qom-type":"memory-backend-memfd","id":"pc.ram","share":true,"size":2147483648}
    -object {"qom-type":"memory-backend-ram","id":"memdimm0","size":536870912}
    -device {"driver":"pc-dimm","node":0,"memdev":"memdimm0","id":"dimm0","slot":0,"addr":4294967296}
    -uuid 1c3a8a1e-0d4f-4c5c-8a0e-0f5f7f9f0001 -display none -no-user-config -nodefaults
    -chardev socket,id=charmonitor,fd=32,server=on,wait=off
    -mon chardev=charmonitor,id=monitor,mode=control -rtc base=utc,driftfix=slew
    -no-hpet -no-shutdown -boot strict=on -sandbox on,obsolete=deny,spawn=deny -msg timestamp=on)");
  EXPECT_EQ(line.name, "web");
  EXPECT_EQ(line.uuid, "1c3a8a1e-0d4f-4c5c-8a0e-0f5f7f9f0001");
  EXPECT_EQ(line.machine, "pc-q35-7.2");
  EXPECT_EQ(line.accelerator, "kvm");
  EXPECT_EQ(line.memory, 2 * kGibibyte);
  EXPECT_EQ(line.memory_slots, 16U);
  EXPECT_EQ(line.maximum_memory, 8 * kGibibyte);
  EXPECT_EQ(line.machine_backend, "pc.ram");
  EXPECT_TRUE(line.starts_paused);
  ASSERT_EQ(line.backends.size(), 2U);
  EXPECT_EQ(line.backends[0].kind, BackendKind::memfd);
  EXPECT_EQ(line.backends[0].size, 2 * kGibibyte);
  EXPECT_TRUE(line.backends[0].shared);
  EXPECT_FALSE(line.backends[1].shared);
  ASSERT_EQ(line.memory_devices.size(), 1U);
  EXPECT_EQ(line.memory_devices[0].driver, "pc-dimm");
  EXPECT_EQ(line.memory_devices[0].memdev, "memdimm0");
  EXPECT_EQ(line.memory_devices[0].address, 4 * kGibibyte);
  ASSERT_EQ(line.monitors.size(), 1U);
  EXPECT_EQ(line.monitors[0].fd, 32);
}

TEST(CommandLine, FindsQmpHoweverItIsGiven) {
  const auto line = parse(
      "kvm -mon chardev=later,mode=control -chardev socket,id=later,path=/a,server=on,wait=off "
      "-qmp unix:b,,c.sock,server,nowait --qmp-pretty unix:/d,server=on -qmp tcp:localhost:4444 "
      "-chardev socket,id=e,path=/e,server=on -mon e -monitor unix:/f,server -qmp chardev:e");
  ASSERT_EQ(line.monitors.size(), 4U);
  EXPECT_EQ(line.monitors[0].path, "b,c.sock");
  EXPECT_EQ(line.monitors[1].path, "/d");
  EXPECT_EQ(line.monitors[2].path, "/a");
  EXPECT_EQ(line.monitors[3].path, "/e");
}

TEST(CommandLine, AHumanMonitorIsNotQmp) {
  EXPECT_TRUE(parse("kvm -chardev socket,id=h,path=/h,server=on -mon chardev=h").monitors.empty());
  EXPECT_TRUE(parse("kvm -qmp unix:/client-of-someone").monitors.empty());
}

TEST(CommandLine, KnowsThePortOfTheGuestAgent) {
  const auto line = parse(
      "kvm -device virtio-serial -chardev socket,path=/run/a,server=on,wait=off,id=qga0 "
      "-chardev socket,id=charchannel0,fd=33,server=on -chardev pty,id=p "
      "-device virtserialport,chardev=qga0,name=org.qemu.guest_agent.0 "
      "-device virtserialport,chardev=p,name=org.qemu.guest_agent.0 "
      "-device virtserialport,chardev=qga0,name=com.redhat.spice.0 "
      R"(-device {"driver":"virtserialport","chardev":"charchannel0","name":"org.qemu.guest_agent.0"})");
  ASSERT_EQ(line.agents.size(), 2U);
  EXPECT_EQ(line.agents[0].socket.path, "/run/a");
  EXPECT_EQ(line.agents[0].chardev, "qga0");
  EXPECT_EQ(line.agents[1].socket.fd, 33);
  EXPECT_TRUE(line.monitors.empty());
}

TEST(CommandLine, ArgumentsOfOptionsAreNotOptions) {
  const auto line = parse("kvm -append -S -serial -m -name real -kernel -uuid");
  EXPECT_FALSE(line.starts_paused);
  EXPECT_EQ(line.memory, 128 * kMebibyte);
  EXPECT_EQ(line.name, "real");
  EXPECT_TRUE(line.uuid.empty());
}

TEST(CommandLine, KnowsNumaAndIvshmem) {
  const auto line = parse(
      "kvm -m 1001 -object memory-backend-file,id=a,size=1G,mem-path=/dev/shm/a,share=on "
      "-numa node,nodeid=0,memdev=n0 -numa node,memdev=n1 -numa cpu,node-id=0 "
      "-device ivshmem-plain,memdev=a -M q35,max-ram-below-4g=2G,accel=kvm:tcg -name x,process=y");
  EXPECT_EQ(line.memory, 1001 * kMebibyte);
  EXPECT_EQ(line.numa_backends, (std::vector<std::string>{"n0", "n1"}));
  EXPECT_EQ(line.backends[0].path, "/dev/shm/a");
  EXPECT_EQ(line.memory_devices[0].driver, "ivshmem-plain");
  EXPECT_EQ(line.below_4g, 2 * kGibibyte);
  EXPECT_EQ(line.accelerator, "kvm");
  EXPECT_EQ(line.name, "x");
}

TEST(CommandLine, NoticesEncryptedGuests) {
  EXPECT_EQ(
      parse("kvm -object sev-guest,id=s -machine q35,confidential-guest-support=s").confidential,
      "sev-guest");
  EXPECT_EQ(parse("kvm -object {\"qom-type\":\"tdx-guest\",\"id\":\"t\"}").confidential,
            "tdx-guest");
  EXPECT_EQ(parse("kvm -machine q35,memory-encryption=sev0").confidential, "sev0");
}

TEST(CommandLine, MayEndAnywhere) {
  for (const char* text : {"", "kvm -m", "kvm -name", "kvm -", "kvm --", "kvm -m x -object {"}) {
    EXPECT_EQ(parse(text).memory, 128 * kMebibyte) << text;
  }
}

TEST(IsVmmProgram, KnowsTheNamesDistributionsUse) {
  for (const char* path : {"/usr/bin/qemu-system-x86_64", "/usr/libexec/qemu-kvm", "kvm"}) {
    EXPECT_TRUE(is_vmm_program(path)) << path;
  }
  for (const char* path : {"/usr/bin/qemu-img", "/kvm/bash", "", "qemu-kvm-helper"}) {
    EXPECT_FALSE(is_vmm_program(path)) << path;
  }
}

TEST(CommandLine, KnowsTheDebuggerStub) {
  EXPECT_EQ(parse_command_line({"qemu"}).debugger, "");
  EXPECT_EQ(parse_command_line({"qemu", "-s", "-m", "1G"}).debugger, "tcp::1234");
  EXPECT_EQ(parse_command_line({"qemu", "-gdb", "unix:/run/gdb,server=on"}).debugger,
            "unix:/run/gdb,server=on");
}

}  // namespace
}  // namespace vitrine::vmm
