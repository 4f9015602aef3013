#include "vitrine/vmm/gdb_remote.h"

#include <gmock/gmock.h>

#include <vector>

#include "vitrine/vmm/testing/fake_gdb_stub.h"

namespace vitrine::vmm {
namespace {

using memory::ReadRequest;
using memory::ReadStatus;
using testing::FakeGdbStub;

const GdbLimits kShortGdb{std::chrono::milliseconds(50), std::chrono::milliseconds(50)};
const GdbLimits kPatientGdb{std::chrono::seconds(5), std::chrono::seconds(5)};

bool holds_made_up_memory(const ReadRequest& request) {
  for (std::size_t i = 0; i < request.into.size(); ++i)
    if (request.into[i] != static_cast<std::byte>((request.address.value + i) % 251)) return false;
  return true;
}

TEST(GdbRemote, TakesPacketsAsLargeAsTheStubAllows) {
  FakeGdbStub stub;
  const auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote) << to_string(remote.error());
  EXPECT_EQ(remote->bytes_per_packet(), 32U);
}

TEST(GdbRemote, ReadsPiecesOfAnySizeAndNumber) {
  FakeGdbStub stub;
  auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote);
  std::vector<std::vector<std::byte>> bytes;
  std::vector<ReadRequest> requests;
  for (std::size_t i = 0; i < 300; ++i) bytes.emplace_back(i % 100);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    requests.push_back({base::GuestPhysical(0x1'0000'0000 + i * 4096), bytes[i]});
  remote->read(requests);
  for (const ReadRequest& request : requests) {
    EXPECT_EQ(request.status, ReadStatus::ok);
    EXPECT_TRUE(holds_made_up_memory(request)) << to_string(request.address);
  }
}

TEST(GdbRemote, ARefusedPieceLeavesTheOthers) {
  FakeGdbStub stub([](const std::string& request) {
    if (request == "m2000,8") return gdb_packet("E14");
    if (request == "m3000,8") return gdb_packet("00");
    return gdb_packet(request == "qSupported" ? "" : FakeGdbStub::memory(request));
  });
  auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote);
  std::vector<std::byte> bytes(32);
  std::vector<ReadRequest> requests;
  for (std::size_t i = 0; i < 4; ++i)
    requests.push_back({base::GuestPhysical(0x1000 * (i + 1)), std::span(bytes).subspan(i * 8, 8)});
  remote->read(requests);
  EXPECT_EQ(requests[0].status, ReadStatus::ok);
  EXPECT_EQ(requests[1].status, ReadStatus::failed) << "an error";
  EXPECT_EQ(requests[2].status, ReadStatus::failed) << "fewer bytes than asked for";
  EXPECT_EQ(requests[3].status, ReadStatus::ok);
  EXPECT_TRUE(holds_made_up_memory(requests[3]));
}

TEST(GdbRemote, SwitchesToPhysicalMemoryAndBack) {
  FakeGdbStub stub;
  auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->physical_mode().value(), false);
  ASSERT_TRUE(remote->set_physical_mode(true));
  EXPECT_TRUE(stub.physical_mode());
  EXPECT_EQ(remote->physical_mode().value(), true);
  ASSERT_TRUE(remote->set_physical_mode(false));
  EXPECT_FALSE(stub.physical_mode());
}

TEST(GdbRemote, AStubWithoutPhysicalMemoryIsUnsupported) {
  FakeGdbStub stub([](const std::string&) { return gdb_packet(""); });
  auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->physical_mode().error().code, base::Code::unsupported);
  EXPECT_EQ(remote->set_physical_mode(true).error().code, base::Code::unsupported);
}

TEST(GdbRemote, SkipsTheNewsThatTheGuestStopped) {
  FakeGdbStub stub([](const std::string& request) {
    return gdb_packet("T02thread:01;") +
           gdb_packet(request == "qSupported" ? "PacketSize=1000" : "1");
  });
  auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote);
  EXPECT_EQ(remote->bytes_per_packet(), 0x800U);
  EXPECT_EQ(remote->physical_mode().value(), true);
}

TEST(GdbRemote, SendsOneAcknowledgementForAnExchange) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const base::FileDescriptor server(ends[1]);
  const std::string reply = gdb_packet("PacketSize=1000");
  ASSERT_EQ(::write(server.get(), reply.data(), reply.size()), static_cast<ssize_t>(reply.size()));
  ASSERT_TRUE(GdbRemote::adopt(base::FileDescriptor(ends[0]), kPatientGdb));
  char bytes[100];
  const ssize_t got = ::read(server.get(), bytes, sizeof bytes);
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(got)), gdb_packet("qSupported") + "+");
}

TEST(GdbRemote, AStubThatDoesNotAnswerIsHeldByAnotherDebugger) {
  FakeGdbStub stub([](const std::string&) { return std::string(); });
  const auto remote = GdbRemote::adopt(stub.client(), kShortGdb);
  ASSERT_FALSE(remote);
  EXPECT_EQ(remote.error().code, base::Code::timeout);
}

TEST(GdbRemote, AnAbsurdPacketSizeIsBounded) {
  for (const char* size : {"PacketSize=ffffffffffff", "PacketSize=0", "PacketSize=", "Packet"}) {
    FakeGdbStub stub([&](const std::string&) { return gdb_packet(size); });
    const auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
    ASSERT_TRUE(remote) << size;
    EXPECT_GE(remote->bytes_per_packet(), 32U) << size;
    EXPECT_LE(remote->bytes_per_packet(), 32U << 10) << size;
  }
}

TEST(GdbRemote, AfterAFailureNothingIsRead) {
  FakeGdbStub stub([](const std::string& request) {
    return request == "qSupported" ? gdb_packet("") : std::string("$oops#00");
  });
  auto remote = GdbRemote::adopt(stub.client(), kPatientGdb);
  ASSERT_TRUE(remote);
  std::byte bytes[8];
  std::vector<ReadRequest> requests{{base::GuestPhysical(0), bytes},
                                    {base::GuestPhysical(8), bytes}};
  remote->read(requests);
  for (const ReadRequest& request : requests) EXPECT_EQ(request.status, ReadStatus::failed);
  EXPECT_EQ(remote->physical_mode().error().code, base::Code::gone);
}

}  // namespace
}  // namespace vitrine::vmm
