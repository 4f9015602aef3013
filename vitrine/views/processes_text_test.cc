// What processes are called, and the arguments in their own memory.
#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::Residence;
using synthetic::rows_by_pid;

class ProcessText : public ::testing::TestWithParam<ReaderKind> {
 protected:
  static GuestOptions mapped() {
    GuestOptions options;
    options.mapped = true;
    return options;
  }
  // The row of process 5.
  NamedRow collect() {
    const kernel::Kernel kernel = locate_kernel(guest_);
    const auto view = attach_processes(kernel, guest_);
    Observer(kernel, guest_.memory(), GetParam()).collect(*view);
    return rows_by_pid(*view)[5];
  }
  void set_mm(const char* member, std::uint64_t value) {
    guest_.kernel().set(guest_.processes().of(5).mm.value(), "mm_struct", member, value);
  }

  static constexpr std::uint64_t at = 0x7ffd12345f80;
  Guest guest_{mapped()};
};
INSTANTIATE_TEST_SUITE_P(Readers, ProcessText, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(ProcessText, NamesKeepAllBytesUpToTheZero) {
  guest_.add_process({.pid = 5, .comm = "sixteen-bytes-xx-cut"});
  EXPECT_EQ(collect().text("comm"), "sixteen-bytes-xx");
  guest_.processes().set_comm(5, "\x1b[2J\xff\n\tx");
  EXPECT_EQ(collect().text("comm"), "\x1b[2J\xff\n\tx");
  guest_.processes().set_comm(5, "");
  EXPECT_EQ(collect().text("comm"), "");
}

TEST_P(ProcessText, ArgumentsMayCrossPagesAndBeEmpty) {
  const std::string longest(9000, 'a');
  guest_.add_process({.pid = 5, .comm = "x", .arguments = {"prog", "", longest, "end", ""}});
  EXPECT_EQ(collect().text("cmdline"), "prog  " + longest + " end");
}

TEST_P(ProcessText, AProcessWithoutArgumentsHasAnEmptyLine) {
  guest_.add_process({.pid = 5, .comm = "x"});
  EXPECT_EQ(collect().text("cmdline"), "");
}

TEST_P(ProcessText, AnOverwrittenTitleRunsOnIntoTheEnvironment) {
  guest_.add_process({.pid = 5, .comm = "nginx", .arguments = {"nginx"}});
  guest_.processes().map_user(5, GuestVirtual(at), std::string_view("nginx: worker\0junk", 18));
  EXPECT_EQ(collect().text("cmdline"), "nginx: worker");
  guest_.processes().map_user(5, GuestVirtual(at), std::string(128, 't'));
  EXPECT_EQ(collect().text("cmdline"), std::string(6 + 64, 't'));
  // The environment has gone beyond the readable page: the arguments alone are left.
  set_mm("env_end", at + 4096);
  EXPECT_EQ(collect().text("cmdline"), "tttttt");
}

TEST_P(ProcessText, PagesThatTheGuestItselfMayNotTouchAreRead) {
  guest_.add_process({.pid = 5,
                      .comm = "x",
                      .arguments = {"hidden"},
                      .arguments_are = Residence::protection_none});
  EXPECT_EQ(collect().text("cmdline"), "hidden");
}

TEST_P(ProcessText, ALineThatIsGoneIsNullWithTheReason) {
  const std::map<Residence, std::string> reasons{
      {Residence::swapped_out, "swapped out"},
      {Residence::not_mapped, "not mapped"},
      {Residence::hole, "not populated"},
  };
  guest_.add_process({.pid = 5, .comm = "x", .arguments = {"gone"}});
  for (const auto& [residence, reason] : reasons) {
    guest_.processes().map_user(5, GuestVirtual(at), std::string_view("gone"), residence);
    const NamedRow row = collect();
    EXPECT_TRUE(row.is_null("cmdline")) << reason;
    ASSERT_TRUE(row.errors.contains("cmdline")) << reason;
    EXPECT_NE(row.errors.at("cmdline").find(reason), std::string::npos) << row.errors.at("cmdline");
  }
}

TEST_P(ProcessText, OnePageThatIsGoneTakesTheLineWithIt) {
  guest_.add_process({.pid = 5, .comm = "x", .arguments = {std::string(6000, 'a')}});
  guest_.processes().map_user(5, GuestVirtual((at + 4096) & ~4095ULL), std::string_view("x"),
                              Residence::swapped_out);
  const NamedRow row = collect();
  EXPECT_TRUE(row.is_null("cmdline"));
  EXPECT_TRUE(row.errors.contains("cmdline"));
}

TEST_P(ProcessText, ForgedBoundsAreNullWithTheReason) {
  guest_.add_process({.pid = 5, .comm = "x", .arguments = {"real"}});
  const auto expect_null = [this](std::uint64_t start, std::uint64_t end, const char* reason) {
    SCOPED_TRACE(base::to_hex(start) + " to " + base::to_hex(end));
    set_mm("arg_start", start);
    set_mm("arg_end", end);
    const NamedRow row = collect();
    EXPECT_TRUE(row.is_null("cmdline")) << row.text("cmdline");
    ASSERT_TRUE(row.errors.contains("cmdline"));
    EXPECT_NE(row.errors.at("cmdline").find(reason), std::string::npos) << row.errors.at("cmdline");
    EXPECT_EQ(row.text("comm"), "x");
  };
  const std::uint64_t kernel = guest_.kernel().page_offset();
  for (const std::uint64_t end : {std::uint64_t{0}, at - 1, ~std::uint64_t{0}, at + (1 << 30)})
    expect_null(at, end, "arg_end");
  for (const std::uint64_t start : {at + 6, std::uint64_t{0}, ~std::uint64_t{0}, kernel})
    expect_null(start, at + 5, "arg_start");
  // Memory of the kernel is no argument of a process, though the process's tables may map it.
  expect_null(kernel, kernel + 16, "arg_start");
  // Bounds that a process could have, of pages that it has not.
  expect_null(at + (1 << 20), at + (1 << 20) + 5, "not mapped");
  set_mm("arg_start", at);
  set_mm("arg_end", at);
  EXPECT_EQ(collect().text("cmdline"), "");
  set_mm("arg_end", at + 5);
  EXPECT_EQ(collect().text("cmdline"), "real");
}

TEST_P(ProcessText, ForgedPageTablesAreNullWithTheReason) {
  guest_.add_process({.pid = 5, .comm = "x", .arguments = {"real"}});
  set_mm("pgd", 0xdead000000000100);
  const NamedRow row = collect();
  EXPECT_TRUE(row.is_null("cmdline"));
  EXPECT_TRUE(row.errors.contains("cmdline"));
}

// 2 MB of arguments each, all of them the same page.
TEST(ProcessTextHostile, LinesAreBoundedAltogether) {
  GuestOptions options;
  options.mapped = true;
  Guest guest(options);
  guest.add_process({.pid = 1, .comm = "x", .arguments = {"first"}});
  const GuestVirtual mm = guest.processes().of(1).mm.value();
  const base::GuestPhysical area(40 * synthetic::megabyte);
  const GuestVirtual start(0x7f0000000000);
  guest.memory().write(area, std::string(2 * synthetic::megabyte, 'a'));
  guest.processes().of(1).tables->map(start, area, 2, synthetic::user_page);
  guest.kernel().set(mm, "mm_struct", "arg_start", start.value);
  guest.kernel().set(mm, "mm_struct", "arg_end", start.value + 2 * synthetic::megabyte);
  guest.kernel().set(mm, "mm_struct", "env_end", 0);
  for (int pid = 2; pid <= 8; ++pid) {
    guest.add_process({.pid = pid, .comm = "x", .has_mm = false});
    guest.processes().set_member(pid, "mm", mm.value);
  }
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(
      kernel, guest,
      {.threads = false, .command_lines = true, .command_line_bytes = 8 * synthetic::megabyte});
  const Outcome outcome = Observer(kernel, guest.memory(), ReaderKind::windowed).collect(*view);
  EXPECT_FALSE(outcome.complete);
  EXPECT_EQ(outcome.warnings.size(), 1U);
  EXPECT_EQ(view->size(), 8U);
  auto rows = rows_by_pid(*view);
  EXPECT_EQ(rows[5].text("cmdline").size(), 2 * synthetic::megabyte);
  for (const std::uint64_t pid : {6U, 8U}) {
    EXPECT_TRUE(rows[pid].is_null("cmdline"));
    EXPECT_NE(rows[pid].errors["cmdline"].find("left out"), std::string::npos);
  }
}

}  // namespace
}  // namespace vitrine::views
