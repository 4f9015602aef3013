#include "tests/synthetic/kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "tests/synthetic/guest.h"

namespace vitrine::synthetic {
namespace {

std::uint64_t value_of(const std::string& text, const std::string& key, int number_base) {
  const std::size_t at = text.find(key + "=");
  if (at == std::string::npos) return ~0ULL;
  std::int64_t signed_value = 0;
  std::uint64_t value = 0;
  const char* first = text.data() + at + key.size() + 1;
  if (number_base == 16) {
    std::from_chars(first, text.data() + text.size(), value, 16);
    return value;
  }
  std::from_chars(first, text.data() + text.size(), signed_value);
  return static_cast<std::uint64_t>(signed_value);
}

class SyntheticKernel : public ::testing::TestWithParam<int> {
 protected:
  static GuestOptions options() {
    GuestOptions options;
    options.kernel.levels = GetParam();
    options.kernel.page_table_isolation = true;
    options.kernel.process_context_ids = true;
    return options;
  }
  std::optional<GuestPhysical> translate(GuestPhysical root, GuestVirtual at) {
    return naive_translate(guest_.memory(), root, GetParam(), at);
  }

  Guest guest_{options()};
};

TEST_P(SyntheticKernel, TheNoteLeadsToTheRunningKernel) {
  Memory& memory = guest_.memory();
  const GuestPhysical page = guest_.kernel().vmcoreinfo_page().value();
  EXPECT_EQ(memory.get<std::uint32_t>(page), 11U);
  std::string text(memory.get<std::uint32_t>(page + 4), '\0');
  memory.peek(page + 24, std::as_writable_bytes(std::span(text.data(), text.size())));
  EXPECT_TRUE(text.starts_with("OSRELEASE=6.1.0-synthetic-amd64\nBUILD-ID="));
  const GuestPhysical root(value_of(text, "SYMBOL(swapper_pg_dir)", 16) - 0xffffffff80000000 +
                           value_of(text, "NUMBER(phys_base)", 10));
  EXPECT_EQ(root, guest_.kernel().tables().root());
  const GuestVirtual stext(value_of(text, "SYMBOL(_stext)", 16));
  EXPECT_EQ(translate(root, stext), guest_.kernel().options().image);
  const GuestVirtual release = GuestVirtual(value_of(text, "SYMBOL(init_uts_ns)", 16)) +
                               value_of(text, "OFFSET(uts_namespace.name)", 10) + 130;
  std::array<char, 21> name{};
  memory.peek(translate(root, release).value(), std::as_writable_bytes(std::span(name)));
  EXPECT_EQ(std::string_view(name.data(), name.size()), "6.1.0-synthetic-amd64");
}

TEST_P(SyntheticKernel, ArithmeticAndPageTablesAgree) {
  Kernel& kernel = guest_.kernel();
  const GuestPhysical root = kernel.tables().root();
  for (const char* name : {"_text", "init_task", "linux_banner", "page_offset_base", "jiffies"})
    EXPECT_EQ(translate(root, kernel.symbol(name)), kernel.physical(kernel.symbol(name))) << name;
  for (const std::uint64_t at : {std::uint64_t{0}, 26 * megabyte + 0x123, 64 * megabyte - 1})
    EXPECT_EQ(translate(root, kernel.direct(GuestPhysical(at))), GuestPhysical(at));
  EXPECT_EQ(translate(root, kernel.direct(GuestPhysical(64 * megabyte))), std::nullopt);
}

TEST_P(SyntheticKernel, RegistersLeadToTheImageFromEitherRoot) {
  guest_.add_process({.pid = 1, .comm = "init", .arguments = {"/sbin/init"}});
  for (const bool in_user_mode : {false, true}) {
    const memory::X86Registers registers = guest_.registers(1, in_user_mode);
    EXPECT_EQ(registers.five_level(), GetParam() == 5);
    EXPECT_TRUE(registers.paging() && registers.long_mode());
    const GuestPhysical root(registers.cr3 & entry_address_mask);
    const GuestPhysical gate = translate(root, GuestVirtual(registers.idt_base)).value();
    const auto low = guest_.memory().get<std::uint64_t>(gate);
    const auto high = guest_.memory().get<std::uint64_t>(gate + 8);
    const GuestVirtual handler((low & 0xffff) | (low >> 48) << 16 | high << 32);
    EXPECT_EQ(handler, guest_.kernel().symbol("asm_exc_divide_error"));
    EXPECT_EQ(translate(root, handler), guest_.kernel().physical(handler));
    EXPECT_EQ(translate(root, guest_.kernel().symbol("init_task")).has_value(), !in_user_mode);
    EXPECT_TRUE(translate(root, GuestVirtual(0x7ffd12345f80)).has_value());
  }
}

TEST_P(SyntheticKernel, TimeAddsUp) {
  Kernel& kernel = guest_.kernel();
  const GuestVirtual keeper = kernel.member(kernel.symbol("tk_core"), "<tk_core>", "timekeeper");
  const auto field = [&](const char* name) { return kernel.value(keeper, "timekeeper", name); };
  const std::uint64_t monotonic =
      field("tkr_mono.base") + (field("tkr_mono.xtime_nsec") >> field("tkr_mono.shift"));
  EXPECT_EQ(monotonic + field("offs_boot"), kernel.options().uptime_ns);
  EXPECT_EQ(field("offs_real") - field("offs_boot"), kernel.options().boot_time_s * 1000000000);
  EXPECT_EQ(field("xtime_sec"), (monotonic + field("offs_real")) / 1000000000);
}

INSTANTIATE_TEST_SUITE_P(Levels, SyntheticKernel, ::testing::Values(4, 5));

TEST(SyntheticKernelParts, CanBeLeftOutAndFalsified) {
  GuestOptions options;
  options.kernel.btf = false;
  options.kernel.vmcoreinfo_overrides = {{"SYMBOL(_stext)", "ffffffff81234000"},
                                         {"BUILD-ID", std::nullopt}};
  Guest guest(options);
  EXPECT_FALSE(guest.kernel().has_symbol("__start_BTF"));
  const std::string& text = guest.kernel().vmcoreinfo_text();
  EXPECT_NE(text.find("SYMBOL(_stext)=ffffffff81234000\n"), std::string::npos);
  EXPECT_EQ(text.find("BUILD-ID"), std::string::npos);
  options.kernel.vmcoreinfo = false;
  EXPECT_FALSE(Guest(options).kernel().vmcoreinfo_page().has_value());
}

TEST(SyntheticKernelParts, AFormerKernelStandsBesideTheRunningOne) {
  Guest guest;
  Kernel former(guest.memory(), guest.frames(),
                {.release = "5.9.0-former",
                 .kernel_offset = 0x2000000,
                 .image = GuestPhysical(8 * megabyte)});
  EXPECT_NE(former.vmcoreinfo_page(), guest.kernel().vmcoreinfo_page());
  EXPECT_EQ(naive_translate(guest.memory(), former.tables().root(), 4, former.symbol("_stext")),
            GuestPhysical(8 * megabyte));
  EXPECT_EQ(naive_translate(guest.memory(), guest.kernel().tables().root(), 4,
                            guest.kernel().symbol("_stext")),
            guest.kernel().options().image);
}

TEST(SyntheticKernelParts, AForgedNoteStandsInAPageOfAProcess) {
  Guest guest;
  guest.add_process({.pid = 1, .comm = "liar"});
  const GuestVirtual at(0x7f0000000000);
  guest.processes().map_user(1, at, "x");
  const auto page = naive_translate(guest.memory(), guest.processes().of(1).tables->root(), 4, at);
  write_vmcoreinfo_note(guest.memory(), page.value(), "OSRELEASE=6.6.6-forged\n");
  EXPECT_EQ(guest.memory().get<std::uint32_t>(*page), 11U);
  EXPECT_EQ(guest.memory().get<char>(*page + 24), 'O');
}

TEST(SyntheticKernelParts, SymbolNamesFillTheirTableAndShowTheLengthEncoding) {
  for (const NameLengths lengths : {NameLengths::one_byte, NameLengths::uleb128}) {
    GuestOptions options;
    options.kernel.lengths = lengths;
    Guest guest(options);
    Kernel& kernel = guest.kernel();
    GuestVirtual at = kernel.kallsyms_tables().at("kallsyms_names");
    const auto count = kernel.get<std::uint32_t>(kernel.kallsyms_tables().at("kallsyms_num_syms"));
    std::size_t longest = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      std::size_t length = kernel.get<std::uint8_t>(at);
      at = at + 1;
      if (lengths == NameLengths::uleb128 && length > 127) {
        length = (length & 127) | std::size_t{kernel.get<std::uint8_t>(at)} << 7;
        at = at + 1;
      }
      longest = std::max(longest, length);
      at = at + length;
    }
    EXPECT_LT(kernel.kallsyms_tables().at("kallsyms_markers") - at, 8U);
    EXPECT_GT(longest, 127U);
  }
}

TEST(SyntheticKernelParts, RamMayHaveAHoleBelowFourGigabytes) {
  GuestOptions options;
  options.ram = {{GuestPhysical(0), 3 * gigabyte}, {GuestPhysical(4 * gigabyte), gigabyte}};
  options.frames = {GuestPhysical(4 * gigabyte + megabyte), 64 * megabyte};
  Guest guest(options);
  const GuestVirtual high = guest.kernel().allocate(64);
  EXPECT_GE(guest.kernel().physical(high), GuestPhysical(4 * gigabyte));
  EXPECT_EQ(naive_translate(guest.memory(), guest.kernel().tables().root(), 4, high),
            guest.kernel().physical(high));
  EXPECT_EQ(naive_translate(guest.memory(), guest.kernel().tables().root(), 4,
                            guest.kernel().direct(GuestPhysical(3 * gigabyte))),
            std::nullopt);
}

}  // namespace
}  // namespace vitrine::synthetic
