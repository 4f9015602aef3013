// Which of several kernels in one memory is taken, and what a hint is worth.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/synthetic/guest.h"
#include "vitrine/kernel/locate.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestPhysical;
using memory::X86Registers;
using synthetic::megabyte;

synthetic::KernelOptions options(const char* release, std::uint64_t image, std::uint64_t offset) {
  synthetic::KernelOptions made;
  made.release = release;
  made.image = GuestPhysical(image);
  made.kernel_offset = offset;
  return made;
}

// What a warm reboot leaves: a former kernel, whole, whose note lies before the running one's.
class TwoKernels : public ::testing::Test {
 protected:
  base::Result<Kernel> find(std::vector<X86Registers> registers,
                            std::optional<GuestPhysical> hint = {}) {
    return locate(memory_, {.registers = registers, .hint = hint, .patience = patience_});
  }
  static X86Registers idle(const synthetic::Kernel& kernel) {
    return kernel.registers(kernel.physical(kernel.symbol("swapper_pg_dir")));
  }
  // Lets the clock of `kernel` go on while memory is read.
  void run(synthetic::Kernel& kernel) {
    memory_.before_each_request([&kernel, ticks = std::uint64_t{5}](const auto&) mutable {
      kernel.put(kernel.symbol("jiffies_64"), ++ticks);
    });
  }
  GuestPhysical running_note() const { return running_.vmcoreinfo_page().value(); }
  GuestPhysical former_note() const { return former_.vmcoreinfo_page().value(); }

  std::chrono::milliseconds patience_ = std::chrono::seconds(2);
  synthetic::Memory memory_{std::vector<memory::Range>{{GuestPhysical(0), 64 * megabyte}}};
  synthetic::FrameAllocator frames_{memory_, {GuestPhysical(32 * megabyte), 32 * megabyte}};
  synthetic::Kernel former_{memory_, frames_, options("6.1.0-former", 4 * megabyte, 0x8000000)};
  synthetic::Kernel running_{memory_, frames_, options("6.1.0-running", 16 * megabyte, 0x1c000000)};
};

TEST_F(TwoKernels, RegistersDecide) {
  const auto found = find({idle(running_)});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->release, "6.1.0-running");
  const auto other = find({idle(former_)});
  ASSERT_TRUE(other) << to_string(other.error());
  EXPECT_EQ(other->release, "6.1.0-former");
}

TEST_F(TwoKernels, WithoutRegistersTheOneWhoseClockAdvancesIsTaken) {
  run(running_);
  const auto found = find({});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->release, "6.1.0-running");
  EXPECT_FALSE(found->anchored);
  run(former_);
  const auto other = find({});
  ASSERT_TRUE(other) << to_string(other.error());
  EXPECT_EQ(other->release, "6.1.0-former");
}

TEST_F(TwoKernels, NothingIsGuessedWhereNeitherClockAdvances) {
  patience_ = std::chrono::milliseconds(20);
  const auto found = find({});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::ambiguous);
  EXPECT_NE(found.error().message.find("6.1.0-former"), std::string::npos);
  EXPECT_NE(found.error().message.find("6.1.0-running"), std::string::npos);
  EXPECT_FALSE(found.error().remedy.empty());
}

TEST_F(TwoKernels, ARightHintSparesTheScan) {
  const auto looked_at_the_former = [this] {
    return std::ranges::any_of(memory_.accesses(), [this](const synthetic::Access& access) {
      return access.address == former_note();
    });
  };
  memory_.record_accesses(true);
  ASSERT_TRUE(find({idle(running_)}));
  EXPECT_TRUE(looked_at_the_former());
  memory_.reset_statistics();
  const auto hinted = find({idle(running_)}, running_note());
  ASSERT_TRUE(hinted) << to_string(hinted.error());
  EXPECT_EQ(hinted->note, running_note());
  EXPECT_FALSE(looked_at_the_former());
}

TEST_F(TwoKernels, AWrongHintCostsTimeOnly) {
  const std::array wrong{former_note(),
                         running_note() + 4096,
                         running_note() + 1,
                         GuestPhysical(0),
                         GuestPhysical(30 * megabyte),
                         GuestPhysical(64 * megabyte - 8),
                         GuestPhysical(64 * megabyte),
                         GuestPhysical(~std::uint64_t{0})};
  for (const GuestPhysical hint : wrong) {
    const auto found = find({idle(running_)}, hint);
    ASSERT_TRUE(found) << to_string(hint) << ": " << to_string(found.error());
    EXPECT_EQ(found->note, running_note()) << to_string(hint);
  }
}

TEST_F(TwoKernels, ANoteAtTheVeryEndOfRamIsFound) {
  // The running kernel's note, moved: it ends with the last byte of RAM's last page.
  const GuestPhysical last(64 * megabyte - 4096);
  write_vmcoreinfo_note(memory_, last, running_.vmcoreinfo_text());
  running_.put(running_.symbol("vmcoreinfo_note"), running_.direct(last).value);
  const auto found = find({idle(running_)});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->note, last);
}

TEST_F(TwoKernels, ReadsNothingOutsideRamAndFillsNoHole) {
  const std::uint64_t allocated = memory_.allocated_pages();
  ASSERT_TRUE(find({idle(running_)}));
  EXPECT_EQ(memory_.statistics().outside, 0U);
  EXPECT_EQ(memory_.allocated_pages(), allocated);
}

// An image's own VMCOREINFO leads to its kernel, whatever else its memory holds.
TEST_F(TwoKernels, AnImagesNoteDecides) {
  for (const synthetic::Kernel* kernel : {&running_, &former_}) {
    const auto found =
        locate(memory_, {.registers = {}, .told = kernel->vmcoreinfo_text(), .lives = false});
    ASSERT_TRUE(found) << to_string(found.error());
    EXPECT_EQ(found->release, kernel->options().release);
    EXPECT_EQ(found->note, kernel->vmcoreinfo_page());
  }
}

// One that belongs to another image, or is none.
TEST_F(TwoKernels, ANoteThatFitsNoKernelDecidesNothing) {
  std::string foreign = running_.vmcoreinfo_text();
  foreign.replace(foreign.find("phys_base)="), 12, "phys_base)=7");
  for (const std::string& told : {foreign, std::string("nonsense")}) {
    const auto found = locate(memory_, {.registers = {}, .told = told, .lives = false});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, Code::ambiguous);
    EXPECT_NE(found.error().remedy.find("image"), std::string::npos);
  }
}

TEST_F(TwoKernels, InAnImageNobodyWaitsForASignOfLife) {
  patience_ = std::chrono::minutes(10);
  run(running_);
  const auto found = locate(memory_, {.registers = {}, .lives = false, .patience = patience_});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::ambiguous);
}

TEST_F(TwoKernels, GeneralRegistersOfAVcpuInItsKernelDecide) {
  memory::X86GeneralRegisters cpu;
  cpu.cs = 0x10;
  cpu.gs_base = running_.percpu_offset(0);
  const std::array processors{cpu};
  const auto found = locate(memory_, {.registers = {}, .processors = processors, .lives = false});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->release, "6.1.0-running");
  EXPECT_TRUE(found->anchored);
}

}  // namespace
}  // namespace vitrine::kernel
