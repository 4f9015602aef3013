#include "vitrine/techniques/region_memory.h"

#include <gtest/gtest.h>

#include <thread>

#include "vitrine/techniques/technique.h"
#include "vitrine/techniques/testing/own_guest.h"

namespace vitrine::techniques {
namespace {

using base::GuestPhysical;
using memory::ReadStatus;
using testing::OwnGuest;

constexpr GuestPhysical kHigh = OwnGuest::shared_start;
using base::kPage;

class RegionTechnique : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    OwnGuest::put(guest_.private_page(1), 0x1111);
    OwnGuest::put(guest_.private_page(2) - 4, 0x2222'0000'0000);
    OwnGuest::put(guest_.shared_page(5), 0x5555);
    auto access = find(GetParam()).value()->open(guest_.machine(), guest_.layout());
    ASSERT_TRUE(access) << to_string(access.error());
    access_ = std::move(*access);
  }
  memory::PhysicalMemory& memory() { return access_->memory(); }
  ReadStatus read(GuestPhysical at) {
    return memory().read(at, std::as_writable_bytes(std::span(&value_, 1)));
  }

  OwnGuest guest_;
  std::unique_ptr<Access> access_;
  std::uint64_t value_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Techniques, RegionTechnique, ::testing::Values("process-vm", "proc-mem"),
                         [](const auto& id) {
                           return id.param == std::string("proc-mem") ? "ProcMem" : "ProcessVm";
                         });

TEST_P(RegionTechnique, ReadsWhatIsThereAsItIsNow) {
  ASSERT_EQ(read(GuestPhysical(kPage)), ReadStatus::ok);
  EXPECT_EQ(value_, 0x1111U);
  ASSERT_EQ(read(GuestPhysical(2 * kPage - 4)), ReadStatus::ok);
  EXPECT_EQ(value_, 0x2222'0000'0000U);
  ASSERT_EQ(read(kHigh + 5 * kPage), ReadStatus::ok);
  EXPECT_EQ(value_, 0x5555U);
  OwnGuest::put(guest_.shared_page(5), 0x6666);
  ASSERT_EQ(read(kHigh + 5 * kPage), ReadStatus::ok);
  EXPECT_EQ(value_, 0x6666U);
}

TEST_P(RegionTechnique, HolesStayHoles) {
  const std::uint64_t private_before = guest_.private_allocated();
  const std::uint64_t shared_before = guest_.shared_allocated();
  ASSERT_EQ(shared_before, 1U);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t number = 0; number < OwnGuest::pages; ++number) {
      const bool in_private = number == 1 || number == 2;
      EXPECT_EQ(read(GuestPhysical(number * kPage)) == ReadStatus::ok, in_private) << number;
      EXPECT_EQ(read(kHigh + number * kPage) == ReadStatus::ok, number == 5) << number;
    }
    EXPECT_EQ(read(GuestPhysical(3 * kPage - 4)), ReadStatus::not_populated);
    memory().begin_observation();
  }
  EXPECT_EQ(guest_.private_allocated(), private_before);
  EXPECT_EQ(guest_.shared_allocated(), shared_before);
}

TEST_P(RegionTechnique, NothingOutsideRamIsRead) {
  for (const GuestPhysical at :
       {GuestPhysical(OwnGuest::size), GuestPhysical(OwnGuest::size - 4), kHigh - 8, kHigh - 4,
        kHigh + OwnGuest::size, kHigh + (OwnGuest::size - 7), GuestPhysical(~std::uint64_t{0}),
        GuestPhysical(~std::uint64_t{0} - 7)})
    EXPECT_EQ(read(at), ReadStatus::outside_ram) << to_string(at);
  std::vector<std::byte> all(2 * OwnGuest::size);
  EXPECT_EQ(memory().read(GuestPhysical(0), all), ReadStatus::outside_ram);
}

TEST_P(RegionTechnique, ARequestThatFailsLeavesTheOthersAlone) {
  std::array<std::uint64_t, 4> values{};
  const auto into = [&values](std::size_t i) {
    return std::as_writable_bytes(std::span(values).subspan(i, 1));
  };
  std::array requests{memory::ReadRequest{GuestPhysical(kPage), into(0)},
                      memory::ReadRequest{kHigh - 8, into(1)},
                      memory::ReadRequest{GuestPhysical(40 * kPage), into(2)},
                      memory::ReadRequest{kHigh + 5 * kPage, into(3)}};
  memory().read(requests);
  EXPECT_EQ(requests[0].status, ReadStatus::ok);
  EXPECT_EQ(requests[1].status, ReadStatus::outside_ram);
  EXPECT_EQ(requests[2].status, ReadStatus::not_populated);
  EXPECT_EQ(requests[3].status, ReadStatus::ok);
  EXPECT_EQ(values[0], 0x1111U);
  EXPECT_EQ(values[3], 0x5555U);
}

TEST_P(RegionTechnique, ListsThePopulatedPages) {
  using memory::Range;
  const Range all{GuestPhysical(0), kHigh.value + OwnGuest::size};
  EXPECT_EQ(memory().populated(all),
            (std::vector<Range>{{GuestPhysical(kPage), 2 * kPage}, {kHigh + 5 * kPage, kPage}}));
  EXPECT_EQ(memory().populated({GuestPhysical(2 * kPage), 8 * kPage}),
            (std::vector<Range>{{GuestPhysical(2 * kPage), kPage}}));
  EXPECT_TRUE(memory().populated({kHigh + 6 * kPage, all.size}).empty());
  EXPECT_EQ(memory().ram().size(), 2U);
}

TEST_P(RegionTechnique, APageThatIsFilledIsSeenByTheNextObservation) {
  EXPECT_EQ(read(GuestPhysical(9 * kPage)), ReadStatus::not_populated);
  EXPECT_EQ(read(kHigh + 9 * kPage), ReadStatus::not_populated);
  OwnGuest::put(guest_.private_page(9), 0x9999);
  OwnGuest::put(guest_.shared_page(9), 0x9998);
  memory().begin_observation();
  EXPECT_EQ(read(GuestPhysical(9 * kPage)), ReadStatus::ok);
  EXPECT_EQ(value_, 0x9999U);
  EXPECT_EQ(read(kHigh + 9 * kPage), ReadStatus::ok);
  EXPECT_EQ(value_, 0x9998U);
}

// As after `adopt`, or when the host swapped it out.
TEST_P(RegionTechnique, ASharedPageThatTheVmmHasNotTouchedIsSeen) {
  guest_.put_into_file(11, 0x1111'2222);
  memory().begin_observation();
  EXPECT_EQ(read(kHigh + 12 * kPage), ReadStatus::not_populated);
  EXPECT_EQ(read(kHigh + 11 * kPage), ReadStatus::ok);
  EXPECT_EQ(value_, 0x1111'2222U);
  EXPECT_EQ(read(kHigh + 10 * kPage), ReadStatus::not_populated);
  EXPECT_EQ(guest_.shared_allocated(), 2U);
  EXPECT_EQ(memory().populated({kHigh + 10 * kPage, 4 * kPage}),
            (std::vector<memory::Range>{{kHigh + 11 * kPage, kPage}}));
}

TEST_P(RegionTechnique, ASharedPageThatIsGivenBackIsAHoleOnceTrustHasEnded) {
  ASSERT_EQ(read(kHigh + 5 * kPage), ReadStatus::ok);
  guest_.give_back_shared(5);
  ASSERT_EQ(guest_.shared_allocated(), 0U);
  std::this_thread::sleep_for(PopulatedPages::kSharedTrust + std::chrono::milliseconds(10));
  memory().begin_observation();
  EXPECT_EQ(read(kHigh + 5 * kPage), ReadStatus::not_populated);
  EXPECT_EQ(guest_.shared_allocated(), 0U);
}

}  // namespace
}  // namespace vitrine::techniques
