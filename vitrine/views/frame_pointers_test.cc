#include "vitrine/views/frame_pointers.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/synthetic/memory.h"
namespace vitrine::views {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;
using End = Unwinder::End;

constexpr GuestVirtual kTask{0xffff000000010000};
constexpr GuestVirtual kStack{0xffff800010000000};
constexpr std::uint64_t kCode = 0xffff800008000000;
constexpr GuestVirtual kFirstCaller{kCode + 0x500};

// The task is in the direct map, the stack stands for vmalloc's memory.
constexpr GuestPhysical kTaskAt{0x1000};
constexpr GuestPhysical kStackAt{0x10000};
const paging::AddressSpace kSpace{.direct = {kTask, 0x1000, kTaskAt},
                                  .image = {kStack, 0x40000, kStackAt}};

class FramePointersTest : public ::testing::Test {
 protected:
  FramePointersTest() {
    memory_.put(kTaskAt, kStack.value);
    sleeps_in(kStack + 0x3000, kCode + 0x10);
  }
  void sleeps_in(GuestVirtual frame, std::uint64_t address) {
    memory_.put(kTaskAt + 8, frame.value);
    memory_.put(kTaskAt + 16, address);
  }
  void put_frame(std::uint64_t at, std::uint64_t outer, std::uint64_t address) {
    memory_.put(kStackAt + at, outer);
    memory_.put(kStackAt + at + 8, address);
  }
  End unwind() {
    frames_.clear();
    reader_.begin();
    return FramePointers({.stack = 0,
                          .frame = 8,
                          .address = 16,
                          .first_of_task = kFirstCaller,
                          .authentication = 0x007f'0000'0000'0000})
        .unwind(reader_, kTask, frames_);
  }

  synthetic::Memory memory_{{{GuestPhysical(0), synthetic::megabyte}}};
  memory::Reader physical_{memory_};
  Reader reader_{kSpace, physical_};
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
  sleeps_in(kStack + 0x3eb0, kFirstCaller.value);
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
  memory_.fail_reads({kTaskAt, 4096});
  EXPECT_EQ(unwind(), End::unreadable);
}

}  // namespace
}  // namespace vitrine::views
