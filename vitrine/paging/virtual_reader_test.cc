#include "vitrine/paging/virtual_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/synthetic/guest.h"
#include "vitrine/memory/reader.h"

namespace vitrine::paging {
namespace {

using base::GuestPhysical;
using base::GuestVirtual;

// Two pages that follow each other in virtual memory only; a third one follows the first in
// physical memory.
class VirtualReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tables_.map(at_, GuestPhysical(0x100000));
    tables_.map(at_ + 4096, GuestPhysical(0x104000));
    memory_.put(GuestPhysical(0x100ffc), std::uint32_t{0x11111111});
    memory_.put(GuestPhysical(0x101000), std::uint32_t{0xbad});
    memory_.put(GuestPhysical(0x104000), std::uint32_t{0x22222222});
    space_ = {&x86_64_four_level, tables_.root(), {}, {}};
  }

  synthetic::Memory memory_{{{GuestPhysical(0), 2 * synthetic::megabyte}}};
  synthetic::FrameAllocator frames_{memory_, {GuestPhysical(0), synthetic::megabyte}};
  synthetic::PageTables tables_{memory_, frames_, 4};
  AddressSpace space_;
  const GuestVirtual at_{0xffffc90000001000};
};

// A pointer that a guest forged may lead to any byte.
TEST_F(VirtualReaderTest, ReadsAValueThatLiesInTwoPagesFromBothOfThem) {
  memory::Reader gather(memory_);
  VirtualReader gathering(space_, gather);
  gathering.begin();
  std::uint64_t value = 0;
  ASSERT_TRUE(gathering.load(at_ + 4092, value));
  EXPECT_EQ(value, 0x2222222211111111);

  std::vector<std::byte> ram(2 * synthetic::megabyte);
  memory_.peek(GuestPhysical(0), ram);
  const memory::Window window{{GuestPhysical(0), ram.size()}, ram.data()};
  memory::Reader windows(std::span(&window, 1));
  VirtualReader windowed(space_, windows);
  windowed.begin();
  value = 0;
  ASSERT_TRUE(windowed.load(at_ + 4092, value));
  EXPECT_EQ(value, 0x2222222211111111);
}

TEST_F(VirtualReaderTest, FailsWhereTheSecondPageOfAValueIsNotMapped) {
  memory::Reader gather(memory_);
  VirtualReader reader(space_, gather);
  reader.begin();
  std::uint64_t value = 0;
  EXPECT_FALSE(reader.load(at_ + 8188, value));
  EXPECT_EQ(reader.fault(), Fault::not_mapped);
  EXPECT_EQ(reader.fault_address(), at_ + 8192);
}

}  // namespace
}  // namespace vitrine::paging
