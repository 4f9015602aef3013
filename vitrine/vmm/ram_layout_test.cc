#include "vitrine/vmm/ram_layout.h"

#include <gmock/gmock.h>

#include "vitrine/vmm/testing/fake_qmp.h"
#include "vitrine/vmm/testing/recording.h"

namespace vitrine::vmm {
namespace {

using testing::FakeQmp;
using testing::Recording;

base::Result<RamLayout> ask(Recording& recording) {
  FakeQmp server([&](const base::Json& request) { return recording.reply(request); });
  auto qmp = Qmp::adopt(server.client());
  if (!qmp) return base::fail(qmp.error());
  return layout_from_monitor(*qmp, recording.machine(), recording.proc());
}

// "START+SIZE BLOCK", one a region.
std::vector<std::string> shown(const RamLayout& layout) {
  std::vector<std::string> list;
  for (const RamRegion& region : layout.regions) {
    list.push_back(base::to_string(region.start) + "+" + base::to_hex(region.size) + " " +
                   region.block);
  }
  return list;
}

struct Expectation {
  const char* recording;
  std::vector<std::string> regions;
  Backing first_backing;
  bool first_shared;
};

void PrintTo(const Expectation& expectation, std::ostream* out) { *out << expectation.recording; }

class RecordedLayout : public ::testing::TestWithParam<Expectation> {};

TEST_P(RecordedLayout, FromTheMonitorIsSystemRamOnly) {
  Recording recording(GetParam().recording);
  const auto layout = ask(recording);
  ASSERT_TRUE(layout) << base::to_string(layout.error());
  EXPECT_EQ(shown(*layout), GetParam().regions);
  EXPECT_EQ(layout->regions[0].backing, GetParam().first_backing);
  EXPECT_EQ(layout->regions[0].shared, GetParam().first_shared);
  for (const RamRegion& region : layout->regions) {
    if (region.inode != 0 && region.block == layout->regions[0].block) {
      EXPECT_EQ(region.file_offset, region.host - layout->regions[0].host);
    }
  }
}

// The monitor knows best: whatever it says must follow from the first candidate.
TEST_P(RecordedLayout, IsTheFirstCandidateWithoutTheMonitor) {
  Recording recording(GetParam().recording);
  const auto layout = ask(recording);
  ASSERT_TRUE(layout);
  const auto candidates = layout_candidates(recording.machine(), recording.proc());
  ASSERT_TRUE(candidates) << base::to_string(candidates.error());
  EXPECT_LE(candidates->size(), 16U);
  for (const RamRegion& region : layout->regions) {
    bool covered = false;
    for (const RamRegion& guess : candidates->front().regions) {
      covered = covered || (guess.start <= region.start && region.end() <= guess.end() &&
                            guess.host - region.host == guess.start - region.start &&
                            guess.backing == region.backing && guess.inode == region.inode);
    }
    EXPECT_TRUE(covered) << base::to_string(region.start);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Qemu, RecordedLayout,
    ::testing::Values(Expectation{"pc-after-firmware",
                                  {"0x0+0xa0000 pc.ram", "0xc0000+0x3ff40000 pc.ram"},
                                  Backing::private_anonymous,
                                  false},
                      Expectation{"q35-5g",
                                  {"0x0+0xa0000 pc.ram", "0x100000+0x7ff00000 pc.ram",
                                   "0x100000000+0xc0000000 pc.ram"},
                                  Backing::private_anonymous,
                                  false},
                      Expectation{"numa",
                                  {"0x0+0xa0000 n0", "0x100000+0x7ff00000 n0",
                                   "0x100000000+0x80000000 n0", "0x180000000+0x80000000 n1"},
                                  Backing::private_anonymous,
                                  false},
                      Expectation{"hot-plugged-dimm",
                                  {"0x0+0xa0000 pc.ram", "0x100000+0x7ff00000 pc.ram",
                                   "0x100000000+0x80000000 pc.ram", "0x180000000+0x40000000 h0"},
                                  Backing::private_anonymous,
                                  false},
                      Expectation{"ivshmem-after-firmware",
                                  {"0x0+0xa0000 pc.ram", "0xc0000+0x3ff40000 pc.ram"},
                                  Backing::private_anonymous,
                                  false},
                      Expectation{"microvm-5g",
                                  {"0x0+0xf0000 microvm.ram", "0x100000+0xbff00000 microvm.ram",
                                   "0x100000000+0x80000000 microvm.ram"},
                                  Backing::private_anonymous,
                                  false},
                      Expectation{"file-private",
                                  {"0x0+0xa0000 ram", "0x100000+0x3ff00000 ram"},
                                  Backing::private_file,
                                  false},
                      Expectation{"memfd",
                                  {"0x0+0xa0000 ram", "0x100000+0x3ff00000 ram"},
                                  Backing::shared_memory,
                                  true}));

TEST(LayoutFromMonitor, RefusesABlockThatIsNotContiguous) {
  Recording recording("q35-5g");
  recording["gpa2hva 0x9ffff"] = "Host virtual address for 0x9ffff (pc.ram) is 0x1234\n";
  EXPECT_EQ(ask(recording).error().code, base::Code::inconsistent);
}

TEST(LayoutFromMonitor, RefusesAddressesThatAreNotMapped) {
  Recording recording("q35-5g");
  recording["gpa2hva 0x0"] = "Host virtual address for 0x0 (pc.ram) is 0x1000\n";
  recording["gpa2hva 0x9ffff"] = "Host virtual address for 0x9ffff (pc.ram) is 0xa0fff\n";
  const auto layout = ask(recording);
  ASSERT_FALSE(layout);
  EXPECT_THAT(layout.error().message, ::testing::HasSubstr("no readable mapping"));
}

TEST(LayoutFromMonitor, RefusesTextItDoesNotKnow) {
  for (const char* command : {"info mtree", "info mtree -f"}) {
    Recording recording("q35-5g");
    recording[command] = "something else\n";
    EXPECT_EQ(ask(recording).error().code, base::Code::unsupported) << command;
  }
  Recording recording("q35-5g");
  recording["gpa2hva 0x0"] = "No memory is mapped at address 0x0\n";
  EXPECT_EQ(ask(recording).error().code, base::Code::inconsistent);
}

TEST(LayoutCandidates, AreAbsentWhereNothingFits) {
  Recording recording("q35-5g");
  Machine machine = recording.machine();
  machine.command_line.memory = 1ULL << 40;
  EXPECT_EQ(layout_candidates(machine, recording.proc()).error().code, base::Code::absent);
}

}  // namespace
}  // namespace vitrine::vmm
