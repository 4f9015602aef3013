#include "vitrine/techniques/asked_memory.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "vitrine/techniques/testing/own_guest.h"

namespace vitrine::techniques {
namespace {

using base::GuestPhysical;
using memory::Range;
using memory::ReadRequest;
using memory::ReadStatus;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::OwnGuest;

using base::kPage;

// Serves the own guest's private RAM and keeps what it was asked for.
class AskedManager final : public Asker {
 public:
  explicit AskedManager(OwnGuest& guest) : guest_(guest) {}

  void read(std::span<ReadRequest> pieces) override {
    for (ReadRequest& piece : pieces) {
      asked.push_back({piece.address, piece.into.size()});
      largest_batch = std::max(largest_batch, pieces.size());
      piece.status = refuses == piece.address ? ReadStatus::failed : ReadStatus::ok;
      std::memcpy(piece.into.data(), guest_.private_page(0) + piece.address.value,
                  piece.into.size());
    }
  }

  std::vector<Range> asked;
  std::size_t largest_batch = 0;
  GuestPhysical refuses{~std::uint64_t{0}};

 private:
  OwnGuest& guest_;
};

class AskedMemoryTest : public ::testing::Test {
 protected:
  AskedMemoryTest() : manager_(guest_) {
    for (std::uint64_t number = 0; number < 16; ++number) {
      if (number == kHole) continue;
      for (std::uint64_t at = 0; at < kPage; at += 8)
        OwnGuest::put(guest_.private_page(number) + at, number * kPage + at);
    }
  }

  AskedMemory memory(Merging merging) {
    return {std::move(*PopulatedPages::open(::getpid(), guest_.layout())), manager_, merging};
  }
  // Reads 8 bytes at each address and returns the statuses; what was read must be right.
  std::vector<ReadStatus> read(AskedMemory& memory, const std::vector<std::uint64_t>& addresses) {
    std::vector<std::uint64_t> values(addresses.size());
    std::vector<ReadRequest> requests;
    for (std::size_t i = 0; i < addresses.size(); ++i)
      requests.push_back(
          {GuestPhysical(addresses[i]), std::as_writable_bytes(std::span(&values[i], 1))});
    memory.read(requests);
    std::vector<ReadStatus> statuses;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      statuses.push_back(requests[i].status);
      if (requests[i].status == ReadStatus::ok) {
        EXPECT_EQ(values[i], addresses[i]);
      }
    }
    return statuses;
  }

  static constexpr std::uint64_t kHole = 8;
  OwnGuest guest_;
  AskedManager manager_;
};

TEST_F(AskedMemoryTest, AsksForNeighboursAsOnePiece) {
  auto asked = memory({.gap = 64, .piece = 4096});
  EXPECT_THAT(read(asked, {200, 0, 72, 8}), ::testing::Each(ReadStatus::ok));
  EXPECT_THAT(manager_.asked,
              ElementsAre(Range{GuestPhysical(0), 80}, Range{GuestPhysical(200), 8}));
  EXPECT_EQ(manager_.largest_batch, 2U);
}

TEST_F(AskedMemoryTest, AJoinedPieceHasAnEnd) {
  auto asked = memory({.gap = 64, .piece = 64});
  EXPECT_THAT(read(asked, {0, 32, 56, 64, 104}), ::testing::Each(ReadStatus::ok));
  EXPECT_THAT(manager_.asked,
              ElementsAre(Range{GuestPhysical(0), 64}, Range{GuestPhysical(64), 48}));
}

TEST_F(AskedMemoryTest, RequestsThatOverlapAreReadOnce) {
  auto asked = memory({.gap = 0, .piece = 4096});
  EXPECT_THAT(read(asked, {0, 0, 8}), ::testing::Each(ReadStatus::ok));
  EXPECT_THAT(manager_.asked, ElementsAre(Range{GuestPhysical(0), 16}));
}

TEST_F(AskedMemoryTest, NeverAsksForAHoleNorForWhatIsNoRam) {
  auto asked = memory({.gap = 64 * kPage, .piece = 64 * kPage});
  EXPECT_THAT(read(asked, {7 * kPage, 9 * kPage}), ::testing::Each(ReadStatus::ok));
  EXPECT_THAT(manager_.asked,
              ElementsAre(Range{GuestPhysical(7 * kPage), 8}, Range{GuestPhysical(9 * kPage), 8}));
  manager_.asked.clear();
  EXPECT_THAT(
      read(asked, {kHole * kPage, OwnGuest::size, OwnGuest::size - 4,
                   OwnGuest::shared_start.value - 8, ~std::uint64_t{0} - 3}),
      ElementsAre(ReadStatus::not_populated, ReadStatus::outside_ram, ReadStatus::outside_ram,
                  ReadStatus::outside_ram, ReadStatus::outside_ram));
  EXPECT_THAT(manager_.asked, IsEmpty());
}

TEST_F(AskedMemoryTest, APieceThatFailsFailsWhatWasInIt) {
  auto asked = memory({.gap = 64, .piece = 4096});
  manager_.refuses = GuestPhysical(0);
  EXPECT_THAT(read(asked, {0, 8, 1000}),
              ElementsAre(ReadStatus::failed, ReadStatus::failed, ReadStatus::ok));
}

}  // namespace
}  // namespace vitrine::techniques
