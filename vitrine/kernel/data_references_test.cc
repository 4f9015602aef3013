#include "vitrine/kernel/data_references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/synthetic/kallsyms_sample.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using synthetic::SampleMemory;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr GuestVirtual function = SampleMemory::start + 0x1040;
constexpr GuestVirtual kSecondPage = SampleMemory::start + 0x1000;

class DataReferencesTest : public ::testing::Test {
 protected:
  void put(std::initializer_list<std::uint32_t> instructions) {
    GuestVirtual at = function;
    for (const std::uint32_t instruction : instructions) {
      memory_.put(at, std::as_bytes(std::span(&instruction, 1)));
      at = at + 4;
    }
    length_ = instructions.size() * 4;
  }
  DataReferences found() { return *data_references(memory_, function, length_); }

  SampleMemory memory_{0x4000};
  std::uint64_t length_ = 0;
};

TEST_F(DataReferencesTest, APageAndAPlaceThereAreAnAddress) {
  // As objdump shows them: adrp x2, kSecondPage+0x2000; add x9, x2, #0x610; ldr x3, [x2, #1552]
  put({0xd0000002, 0x91184049, 0xf9430843});
  EXPECT_THAT(found().taken, ElementsAre(kSecondPage + 0x2610));
  EXPECT_THAT(found().loaded, ElementsAre(kSecondPage + 0x2610));
  put({0xf0ffffe2, 0x91184049});  // adrp x2, kSecondPage-0x1000
  EXPECT_THAT(found().taken, ElementsAre(kSecondPage - 0x1000 + 0x610));
}

TEST_F(DataReferencesTest, ARegisterThatIsOverwrittenCountsNoMore) {
  put({0xd0000002, 0x91184042, 0x91184049});  // add x2, x2, #0x610; add x9, x2, #0x610
  EXPECT_THAT(found().taken, ElementsAre(kSecondPage + 0x2610));
  put({0xd0000002, 0xf9430842, 0xf9430843});  // ldr x2, [x2, #1552]; ldr x3, [x2, #1552]
  EXPECT_THAT(found().loaded, ElementsAre(kSecondPage + 0x2610));
  put({0x91184049, 0xf9430843});
  EXPECT_THAT(found().taken, IsEmpty());
  EXPECT_THAT(found().loaded, IsEmpty());
}

TEST_F(DataReferencesTest, LengthAndMemoryAreChecked) {
  EXPECT_EQ(data_references(memory_, function, 1U << 20).error().code, base::Code::invalid);
  EXPECT_EQ(data_references(memory_, SampleMemory::start + 0x4000, 16).error().code,
            base::Code::absent);
}

}  // namespace
}  // namespace vitrine::kernel
