#include "vitrine/vmm/gdb_packet.h"

#include <gtest/gtest.h>

#include <array>

namespace vitrine::vmm {
namespace {

std::optional<std::string> only_packet(std::string_view bytes, std::size_t limit = 1000) {
  GdbFramer framer(limit);
  framer.feed(bytes);
  auto packet = framer.next();
  return packet ? *packet : std::nullopt;
}

base::Code refusal(std::string_view bytes, std::size_t limit = 1000) {
  GdbFramer framer(limit);
  framer.feed(bytes);
  auto packet = framer.next();
  return packet ? base::Code::gone : packet.error().code;
}

TEST(GdbPacket, CarriesItsChecksum) {
  EXPECT_EQ(gdb_packet("m1000,8"), "$m1000,8#92");
  EXPECT_EQ(gdb_packet(""), "$#00");
}

TEST(GdbPacket, EscapesWhatWouldEndIt) {
  EXPECT_EQ(gdb_packet("#"), "$}\x03#80");
  const std::string nasty("a$b#c}d*e\0f", 11);
  EXPECT_EQ(only_packet(gdb_packet(nasty)), nasty);
}

TEST(GdbFramer, JoinsWhatWasSplitAndSkipsAcknowledgementsAndNotifications) {
  const std::string stream = "+" + gdb_packet("OK") + "++%Stop:T05#99" + gdb_packet("E22") + "+";
  GdbFramer framer(1000);
  std::vector<std::string> packets;
  for (const char byte : stream) {
    framer.feed({&byte, 1});
    auto packet = framer.next();
    ASSERT_TRUE(packet) << to_string(packet.error());
    if (*packet) packets.push_back(**packet);
  }
  EXPECT_EQ(packets, (std::vector<std::string>{"OK", "E22"}));
}

TEST(GdbFramer, GivesSeveralPacketsFedAtOnceOneByOne) {
  GdbFramer framer(1000);
  framer.feed(gdb_packet("1") + gdb_packet("2"));
  EXPECT_EQ(**framer.next(), "1");
  EXPECT_EQ(**framer.next(), "2");
  EXPECT_FALSE(*framer.next());
}

TEST(GdbFramer, RepeatsWhatIsRunLengthEncoded) {
  // "0* " stands for 0 and three more (the manual's own example).
  EXPECT_EQ(only_packet("$0* #7a"), "0000");
}

TEST(GdbFramer, RefusesWhatIsDamaged) {
  EXPECT_EQ(refusal("$OK#9b"), base::Code::inconsistent);
  EXPECT_EQ(refusal("$OK#zz"), base::Code::inconsistent);
  EXPECT_EQ(refusal("-"), base::Code::inconsistent);
  EXPECT_EQ(refusal("$0*\x01#5b"), base::Code::inconsistent);
}

TEST(GdbFramer, BoundsAPacketHoweverItGrows) {
  EXPECT_EQ(refusal("$" + std::string(100, 'x'), 16), base::Code::unsupported);
  EXPECT_EQ(refusal(gdb_packet(std::string(17, 'x')), 16), base::Code::unsupported);
  EXPECT_EQ(refusal("$0*~#d8", 16), base::Code::unsupported) << "98 characters by repetition";
  EXPECT_EQ(only_packet(gdb_packet(std::string(16, 'x')), 16), std::string(16, 'x'));
}

TEST(DecodeHex, TakesExactlyWhatIsWanted) {
  std::array<std::byte, 2> bytes{};
  EXPECT_TRUE(decode_hex("0aFf", bytes));
  EXPECT_EQ(bytes[0], std::byte{0x0a});
  EXPECT_EQ(bytes[1], std::byte{0xff});
  for (const char* wrong : {"", "0a", "0aF", "0aFf00", "0aFg", "E22 "}) {
    EXPECT_FALSE(decode_hex(wrong, bytes)) << wrong;
  }
}

}  // namespace
}  // namespace vitrine::vmm
