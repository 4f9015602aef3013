#include "vitrine/techniques/map.h"

#include <gtest/gtest.h>

#include "vitrine/memory/load.h"
#include "vitrine/techniques/testing/own_guest.h"

namespace vitrine::techniques {
namespace {

using base::GuestPhysical;
using memory::ReadStatus;
using testing::OwnGuest;

constexpr GuestPhysical kShared = OwnGuest::shared_start;
using base::kPage;

class Mapped : public ::testing::Test {
 protected:
  void SetUp() override {
    memory::FaultRecovery::install();
    OwnGuest::put(guest_.shared_page(5), 0x5555);
    OwnGuest::put(guest_.shared_page(6), 0x6666);
    auto access = Map().open(guest_.machine(), guest_.shared_layout());
    ASSERT_TRUE(access) << to_string(access.error());
    access_ = std::move(*access);
  }
  ReadStatus read(GuestPhysical at) {
    return access_->memory().read(at, std::as_writable_bytes(std::span(&value_, 1)));
  }

  OwnGuest guest_;
  std::unique_ptr<Access> access_;
  std::uint64_t value_ = 0;
};

TEST_F(Mapped, ReadsWhatIsThereAsItIsNow) {
  ASSERT_EQ(read(kShared + 5 * kPage), ReadStatus::ok);
  EXPECT_EQ(value_, 0x5555U);
  OwnGuest::put(guest_.shared_page(5), 0x7777);
  ASSERT_EQ(read(kShared + 5 * kPage), ReadStatus::ok);
  EXPECT_EQ(value_, 0x7777U);
}

TEST_F(Mapped, HolesStayHoles) {
  ASSERT_EQ(guest_.shared_allocated(), 2U);
  auto* windows = dynamic_cast<memory::Windows*>(&access_->memory());
  ASSERT_NE(windows, nullptr);
  ASSERT_EQ(windows->windows().size(), 1U);
  const memory::Window window = windows->windows().front();
  EXPECT_EQ(window.range, (memory::Range{kShared, OwnGuest::size}));
  for (std::uint64_t number = 0; number < OwnGuest::pages; ++number) {
    const bool filled = number == 5 || number == 6;
    EXPECT_EQ(read(kShared + number * kPage), filled ? ReadStatus::ok : ReadStatus::not_populated);
    EXPECT_EQ(memory::load(window.bytes + number * kPage, value_), filled) << number;
  }
  EXPECT_EQ(guest_.shared_allocated(), 2U);
}

TEST_F(Mapped, APageThatIsGivenBackIsAHoleAtOnce) {
  ASSERT_EQ(read(kShared + 5 * kPage), ReadStatus::ok);
  guest_.give_back_shared(5);
  EXPECT_EQ(read(kShared + 5 * kPage), ReadStatus::not_populated);
  EXPECT_EQ(guest_.shared_allocated(), 1U);
}

TEST_F(Mapped, NothingOutsideRamIsRead) {
  for (const GuestPhysical at : {GuestPhysical(0), kShared - 4, kShared + (OwnGuest::size - 4),
                                 kShared + OwnGuest::size, GuestPhysical(~std::uint64_t{0} - 3)})
    EXPECT_EQ(read(at), ReadStatus::outside_ram) << to_string(at);
}

TEST_F(Mapped, ListsThePopulatedPages) {
  const memory::Range all{GuestPhysical(0), kShared.value + OwnGuest::size};
  EXPECT_EQ(access_->memory().populated(all),
            (std::vector<memory::Range>{{kShared + 5 * kPage, 2 * kPage}}));
  EXPECT_EQ(access_->memory().populated({kShared + 6 * kPage, kPage}),
            (std::vector<memory::Range>{{kShared + 6 * kPage, kPage}}));
}

TEST(Map, IsNotUsableOnPrivateRam) {
  OwnGuest guest;
  const auto usable = Map().usable(guest.machine(), guest.layout());
  ASSERT_FALSE(usable);
  EXPECT_EQ(usable.error().code, base::Code::unsupported);
  EXPECT_NE(usable.error().remedy.find("share=on"), std::string::npos);
  EXPECT_FALSE(Map().open(guest.machine(), guest.layout()));
}

TEST(Map, NeedsTheVeryFileThatBacksTheRam) {
  OwnGuest guest;
  vmm::RamLayout layout = guest.shared_layout();
  layout.regions.front().inode += 1'000'000;
  const auto opened = Map().open(guest.machine(), layout);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, base::Code::denied);
}

}  // namespace
}  // namespace vitrine::techniques
