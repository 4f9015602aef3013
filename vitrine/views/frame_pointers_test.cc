#include "vitrine/views/frame_pointers.h"

#include <gtest/gtest.h>

#include <map>

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using End = Unwinder::End;

constexpr GuestVirtual kTask{0xffff000000010000};
constexpr GuestVirtual kStack{0xffff800010000000};
constexpr std::uint64_t kCode = 0xffff800008000000;
constexpr GuestVirtual kFirst{kCode + 0x500};

// Words of guest memory; whatever else is not there.
struct Words {
  std::map<GuestVirtual, std::uint64_t> words;

  bool load(GuestVirtual at, std::uint64_t& to) const {
    const auto found = words.find(at);
    if (found == words.end()) return false;
    to = found->second;
    return true;
  }
};

class FramePointersTest : public ::testing::Test {
 protected:
  FramePointersTest() {
    reader_.words[kTask] = kStack.value;
    sleeps_in(kStack + 0x3000, kCode + 0x10);
  }
  void sleeps_in(GuestVirtual frame, std::uint64_t address) {
    reader_.words[kTask + 8] = frame.value;
    reader_.words[kTask + 16] = address;
  }
  void put_frame(std::uint64_t at, std::uint64_t outer, std::uint64_t address) {
    reader_.words[kStack + at] = outer;
    reader_.words[kStack + at + 8] = address;
  }
  End unwind() {
    frames_.clear();
    return FramePointers({.stack = 0,
                          .frame = 8,
                          .address = 16,
                          .first_of_task = kFirst,
                          .authentication = 0x007f'0000'0000'0000})
        .unwind(reader_, kTask, frames_);
  }

  Words reader_;
  std::vector<Unwinder::Frame> frames_;
};

TEST_F(FramePointersTest, LeadFromTheInnermostFunctionToTheRegistersOfUserMode) {
  put_frame(0x3000, (kStack + 0x3100).value, 0xff91800008000020);  // signed
  put_frame(0x3100, (kStack + 0x3eb0).value, kCode + 0x30);
  put_frame(0x3eb0, 0, 0);
  EXPECT_EQ(unwind(), End::whole);
  ASSERT_EQ(frames_.size(), 3U);
  EXPECT_EQ(frames_[0].address.value, kCode + 0x10);
  EXPECT_EQ(frames_[1].address.value, 0xffff800008000020);
  EXPECT_EQ(frames_[2].address.value, kCode + 0x30);
  EXPECT_FALSE(frames_[0].exact);
}

TEST_F(FramePointersTest, ATaskThatHasNotRunYetBeginsWhereItIsToRun) {
  sleeps_in(kStack + 0x3eb0, kFirst.value);
  put_frame(0x3eb0, 0, 0);
  EXPECT_EQ(unwind(), End::whole);
  ASSERT_EQ(frames_.size(), 1U);
  EXPECT_TRUE(frames_[0].exact);
}

TEST_F(FramePointersTest, AForgedChainEnds) {
  put_frame(0x3000, (kStack + 0x3000).value, kCode);  // itself
  EXPECT_EQ(unwind(), End::astray);
  put_frame(0x3000, (kStack + 0x2000).value, kCode);  // backwards
  EXPECT_EQ(unwind(), End::astray);
  put_frame(0x3000, (kStack + 0x2000000).value, kCode);  // out of the stack
  EXPECT_EQ(unwind(), End::astray);
  sleeps_in(GuestVirtual(0x1000), kCode);
  EXPECT_EQ(unwind(), End::astray);
  sleeps_in(kStack, kCode);
  for (std::uint64_t at = 0; at < 0x20000; at += 16) put_frame(at, (kStack + at + 16).value, kCode);
  EXPECT_EQ(unwind(), End::astray);
  EXPECT_EQ(frames_.size(), Unwinder::kMaxFrames);
}

TEST_F(FramePointersTest, APageThatIsMissingIsToldApart) {
  EXPECT_EQ(unwind(), End::unreadable);
  EXPECT_EQ(frames_.size(), 1U);
  reader_.words.erase(kTask + 8);
  EXPECT_EQ(unwind(), End::unreadable);
}

}  // namespace
}  // namespace vitrine::views
