#include "vitrine/kernel/locate.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/synthetic/guest.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestPhysical;
using base::GuestVirtual;
using memory::X86Registers;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::megabyte;

base::Result<Kernel> locate_with(Guest& guest, std::vector<X86Registers> registers,
                                 std::optional<GuestPhysical> hint = {}) {
  return locate(guest.memory(), {.registers = registers, .hint = hint});
}

void expect_whole(const Kernel& found, Guest& guest) {
  synthetic::Kernel& real = guest.kernel();
  EXPECT_EQ(found.release, "6.1.0-synthetic-amd64");
  EXPECT_EQ(found.build_id, "bb603a9147d3efe4744bf83c83eee397c591cc20");
  EXPECT_EQ(found.note, real.vmcoreinfo_page());
  EXPECT_EQ(found.space.root, real.tables().root());
  EXPECT_EQ(found.symbols.find("init_task"), real.symbol("init_task"));
  EXPECT_EQ(found.types.member("task_struct", "comm").value().offset,
            real.types().offset("task_struct", "comm"));
  EXPECT_EQ(found.space.direct.start, GuestVirtual(real.page_offset()));
  EXPECT_GT(found.space.direct.size, 0U);
  EXPECT_EQ(found.space.image.start, real.symbol("_stext"));
  EXPECT_GT(found.space.image.size, 0U);
}

void expect_found(const GuestOptions& options) {
  Guest guest(options);
  const auto with = locate_with(guest, {guest.registers()});
  ASSERT_TRUE(with) << to_string(with.error());
  EXPECT_TRUE(with->anchored);
  expect_whole(*with, guest);
  const auto without = locate_with(guest, {});
  ASSERT_TRUE(without) << to_string(without.error());
  EXPECT_FALSE(without->anchored);
  expect_whole(*without, guest);
}

TEST(Locate, FindsTheKernelWhereverItIsMapped) {
  for (const int levels : {4, 5}) {
    for (const std::uint64_t offset : {0x0U, 0x1c000000U, 0x3a400000U}) {
      SCOPED_TRACE(std::to_string(levels) + " levels, KASLR " + base::to_hex(offset));
      GuestOptions options;
      options.kernel.levels = levels;
      options.kernel.kernel_offset = offset;
      expect_found(options);
    }
  }
  GuestOptions options;
  options.kernel.page_offset = 0xffff9a2280000000;
  options.kernel.direct_map_level = 2;
  expect_found(options);
}

TEST(Locate, ReadsEverySymbolEncoding) {
  using synthetic::NameLengths;
  using synthetic::SymbolEncoding;
  for (const auto encoding : {SymbolEncoding::absolute_percpu, SymbolEncoding::base_relative,
                              SymbolEncoding::place_relative}) {
    for (const auto lengths : {NameLengths::one_byte, NameLengths::uleb128}) {
      for (const bool last : {false, true}) {
        SCOPED_TRACE(std::to_string(static_cast<int>(encoding)) + " " +
                     std::to_string(static_cast<int>(lengths)) + " " + std::to_string(last));
        GuestOptions options;
        options.kernel.encoding = encoding;
        options.kernel.lengths = lengths;
        options.kernel.kallsyms_offsets_last = last;
        expect_found(options);
      }
    }
  }
}

// As before 6.0, when the note also did not say where the names of the system are.
TEST(Locate, FindsTheSymbolsOfAKernelThatDoesNotNameItsTables) {
  using synthetic::NameLengths;
  for (const auto lengths : {NameLengths::one_byte, NameLengths::uleb128}) {
    GuestOptions options;
    options.kernel.lengths = lengths;
    options.kernel.vmcoreinfo_names_kallsyms = false;
    expect_found(options);
  }
}

// As without CONFIG_KALLSYMS_ALL: variables are found by what is exported, BTF by how it begins.
TEST(Locate, FindsTheVariablesOfAKernelWhoseKallsymsHasFunctionsOnly) {
  GuestOptions options;
  options.kernel.kallsyms_all = false;
  Guest guest(options);
  const auto found = locate_with(guest, {});
  ASSERT_TRUE(found) << to_string(found.error());
  for (const char* name : {"init_task", "jiffies_64", "__per_cpu_offset", "default_idle"})
    EXPECT_EQ(found->symbols.find(name), guest.kernel().symbol(name)) << name;
  EXPECT_EQ(found->symbols.find("linux_banner"), std::nullopt);
  EXPECT_TRUE(found->types.member("task_struct", "comm"));
  EXPECT_GT(found->space.direct.size, 0U);
}

TEST(Locate, BelievesNoExportsThatContradictKallsyms) {
  GuestOptions options;
  options.kernel.kallsyms_all = false;
  options.kernel.exports_shifted_by = 16;
  Guest guest(options);
  const auto found = locate_with(guest, {});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_EQ(found->symbols.find("init_task"), std::nullopt);
}

TEST(Locate, FindsTheKernelOfAGuestWithRamOnBothSidesOf4GB) {
  GuestOptions options;
  options.ram = {{GuestPhysical(0), 640u << 10},
                 {GuestPhysical(megabyte), 63 * megabyte},
                 {GuestPhysical(4096 * megabyte), 16 * megabyte}};
  options.frames = {GuestPhysical(4096 * megabyte), 16 * megabyte};
  expect_found(options);
}

TEST(Locate, IsAnchoredByACpuInAnyMode) {
  GuestOptions options;
  options.kernel.page_table_isolation = true;
  options.kernel.process_context_ids = true;
  Guest guest(options);
  guest.add_process({.pid = 1, .comm = "init", .arguments = {"init"}});
  for (const bool user : {false, true}) {
    const auto found = locate_with(guest, {guest.registers(1, user)});
    ASSERT_TRUE(found) << to_string(found.error());
    EXPECT_TRUE(found->anchored);
    EXPECT_TRUE(runs_on(*found, std::array{guest.registers(1, user)}, guest.memory()));
    EXPECT_FALSE(runs_on(*found, std::array{X86Registers{}}, guest.memory()));
  }
  // A CPU that was never started is still in real mode.
  const auto found = locate_with(guest, {X86Registers{}, guest.registers(1)});
  ASSERT_TRUE(found) << to_string(found.error());
  EXPECT_TRUE(found->anchored);
}

TEST(Locate, TellsThatTheKernelIsStillThere) {
  Guest guest;
  const auto found = locate_with(guest, {guest.registers()});
  ASSERT_TRUE(found);
  EXPECT_TRUE(still_there(*found, guest.memory()));
  guest.memory().write(found->note + 24 + 10, "9");
  EXPECT_FALSE(still_there(*found, guest.memory()));
}

struct Refused {
  const char* what;
  void (*change)(synthetic::KernelOptions&);
  Code code;
};

class LocateRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(LocateRefuses, AKernelThatLacksOrForgesAPart) {
  GuestOptions options;
  GetParam().change(options.kernel);
  Guest guest(options);
  for (const bool anchored : {false, true}) {
    const auto found = anchored ? locate_with(guest, {guest.registers()}) : locate_with(guest, {});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, GetParam().code) << to_string(found.error());
    EXPECT_FALSE(found.error().message.empty());
  }
}

using KernelOptions = synthetic::KernelOptions;
INSTANTIATE_TEST_SUITE_P(
    Parts, LocateRefuses,
    ::testing::Values(
        Refused{"no_note", [](KernelOptions& o) { o.vmcoreinfo = false; }, Code::absent},
        Refused{"no_kallsyms", [](KernelOptions& o) { o.kallsyms = false; }, Code::unsupported},
        Refused{"no_btf", [](KernelOptions& o) { o.btf = false; }, Code::unsupported},
        Refused{"no_phys_base",
                [](KernelOptions& o) {
                  o.vmcoreinfo_overrides = {{"NUMBER(phys_base)", std::nullopt}};
                },
                Code::unsupported},
        Refused{"stext_elsewhere",
                [](KernelOptions& o) {
                  o.vmcoreinfo_overrides = {{"SYMBOL(_stext)", "ffffffff9d000040"}};
                },
                Code::inconsistent},
        Refused{"kallsyms_elsewhere",
                [](KernelOptions& o) {
                  o.symbol_overrides = {{"_stext", 0xffffffff9d000040}};
                },
                Code::inconsistent},
        Refused{"other_release",
                [](KernelOptions& o) {
                  o.vmcoreinfo_overrides = {{"OSRELEASE", "6.1.1"}};
                },
                Code::inconsistent},
        Refused{"other_note",
                [](KernelOptions& o) {
                  o.symbol_overrides = {{"vmcoreinfo_note", 0xffffffff9d000000}};
                },
                Code::inconsistent}),
    [](const auto& part) { return std::string(part.param.what); });

TEST(LocateByRegisters, SaysWhatTheCpusDoWhereThereIsNoKernel) {
  Guest guest;
  X86Registers cpu = guest.registers();
  cpu.efer = 0;
  const auto narrow = locate_with(guest, {cpu});
  ASSERT_FALSE(narrow);
  EXPECT_EQ(narrow.error().code, Code::unsupported);
  EXPECT_NE(narrow.error().message.find("32-bit"), std::string::npos);
  cpu.cr0 = 0x10;
  const auto real_mode = locate_with(guest, {cpu});
  ASSERT_FALSE(real_mode);
  EXPECT_EQ(real_mode.error().code, Code::absent);
  EXPECT_NE(real_mode.error().message.find("firmware"), std::string::npos);
}

TEST(LocateByRegisters, RefusesAKernelThatNoCpuRuns) {
  Guest guest;
  X86Registers cpu = guest.registers();
  cpu.cr3 = guest.frames().take().value;
  const auto other_tables = locate_with(guest, {cpu});
  ASSERT_FALSE(other_tables);
  EXPECT_EQ(other_tables.error().code, Code::inconsistent);
  EXPECT_NE(other_tables.error().message.find("no CPU runs it"), std::string::npos);
  cpu.cr3 = 64 * synthetic::gigabyte;
  EXPECT_FALSE(locate_with(guest, {cpu}));
  cpu = guest.registers();
  cpu.cr4 |= 1 << 12;
  EXPECT_FALSE(locate_with(guest, {cpu}));
}

TEST(LocateForged, IgnoresNotesThatTheKernelDoesNotPointTo) {
  Guest guest;
  std::string text = guest.kernel().vmcoreinfo_text();
  write_vmcoreinfo_note(guest.memory(), GuestPhysical(megabyte), text);
  write_vmcoreinfo_note(guest.memory(), GuestPhysical(2 * megabyte), "OSRELEASE=9.9\n");
  text.replace(text.find("phys_base)=") + 11, 1, "9");
  write_vmcoreinfo_note(guest.memory(), GuestPhysical(3 * megabyte), text);
  for (const bool anchored : {false, true}) {
    const auto found = anchored ? locate_with(guest, {guest.registers()}) : locate_with(guest, {});
    ASSERT_TRUE(found) << to_string(found.error());
    EXPECT_EQ(found->note, guest.kernel().vmcoreinfo_page());
  }
}

}  // namespace
}  // namespace vitrine::kernel
