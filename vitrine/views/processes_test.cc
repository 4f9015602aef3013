#include "vitrine/views/processes.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"

namespace vitrine::views {
namespace {

using base::GuestPhysical;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_by_pid;
using synthetic::rows_of;

GuestOptions guest_as_mapped(unsigned shuffle_seed = 0) {
  GuestOptions options;
  options.mapped = true;
  options.kernel.shuffle_seed = shuffle_seed;
  return options;
}

// One of each kind of process.
void populate(Guest& guest) {
  guest.add_process({.pid = 1,
                     .comm = "systemd",
                     .start_boottime = 21,
                     .rss_pages = {100, 20, 7, 3},
                     .arguments = {"/sbin/init", "splash"}});
  guest.add_process({.pid = 2,
                     .comm = "kthreadd",
                     .state = synthetic::task_idle,
                     .kernel_thread = true,
                     .start_boottime = 22});
  guest.add_process({.pid = 700,
                     .parent = 1,
                     .comm = "postgres",
                     .state = synthetic::task_running,
                     .uid = 33,
                     .gid = 34,
                     .start_boottime = 5'000'000'000,
                     .threads = {{.pid = 701, .comm = "writer", .state = 2}, {.pid = 702}},
                     .rss_pages = {1, 1, 1, 1},
                     .arguments = {"postgres"}});
  guest.add_process({.pid = 800,
                     .parent = 700,
                     .comm = "gone",
                     .exit_state = synthetic::exit_zombie,
                     .flags = synthetic::flag_exiting});
  guest.add_process({.pid = 900,
                     .parent = 1,
                     .comm = "leaving",
                     .flags = synthetic::flag_exiting,
                     .has_mm = false});
}

class EveryReader : public ::testing::TestWithParam<ReaderKind> {};
INSTANTIATE_TEST_SUITE_P(Readers, EveryReader, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(EveryReader, ShowsEveryFieldOfEveryKindOfProcess) {
  for (const unsigned seed : {0U, 1U, 2U, 3U}) {
    SCOPED_TRACE(seed);
    Guest guest(guest_as_mapped(seed));
    populate(guest);
    const kernel::Kernel kernel = locate_kernel(guest);
    const auto view = attach_processes(kernel, guest);
    Observer observer(kernel, guest.memory(), GetParam());
    const Outcome outcome = observer.collect(*view);
    EXPECT_TRUE(outcome.complete);
    EXPECT_TRUE(outcome.warnings.empty());
    ASSERT_EQ(view->size(), 5U);
    auto rows = rows_by_pid(*view);

    const NamedRow& postgres = rows[700];
    EXPECT_EQ(postgres.number("tgid"), 700U);
    EXPECT_EQ(postgres.number("ppid"), 1U);
    EXPECT_EQ(postgres.text("comm"), "postgres");
    EXPECT_EQ(postgres.text("state"), "R");
    EXPECT_EQ(postgres.number("uid"), 33U);
    EXPECT_EQ(postgres.number("gid"), 34U);
    EXPECT_EQ(postgres.number("threads"), 3U);
    EXPECT_EQ(postgres.number("start_ns"), 5'000'000'000U);
    EXPECT_EQ(postgres.number("rss_bytes"), 3U * 4096);
    EXPECT_FALSE(postgres.flag("kernel_thread"));
    EXPECT_FALSE(postgres.flag("exiting"));
    EXPECT_EQ(postgres.text("cmdline"), "postgres");

    EXPECT_EQ(rows[1].number("ppid"), 0U);
    EXPECT_EQ(rows[1].text("state"), "S");
    EXPECT_EQ(rows[1].number("rss_bytes"), 123U * 4096);
    EXPECT_EQ(rows[1].text("cmdline"), "/sbin/init splash");
    EXPECT_TRUE(rows[2].flag("kernel_thread"));
    EXPECT_EQ(rows[2].text("state"), "I");
    EXPECT_EQ(rows[2].number("rss_bytes"), 0U);
    EXPECT_TRUE(rows[2].is_null("cmdline"));
    EXPECT_EQ(rows[800].text("state"), "Z");
    EXPECT_TRUE(rows[800].flag("exiting"));
    EXPECT_TRUE(rows[800].is_null("cmdline"));
    EXPECT_EQ(rows[800].number("ppid"), 700U);
    EXPECT_TRUE(rows[900].flag("exiting"));
    EXPECT_EQ(rows[900].text("state"), "S");
    for (const auto& [pid, row] : rows) EXPECT_TRUE(row.errors.empty()) << pid;
  }
}

TEST_P(EveryReader, ShowsThreadsAfterTheirLeader) {
  Guest guest(guest_as_mapped());
  populate(guest);
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest, {.threads = true});
  Observer observer(kernel, guest.memory(), GetParam());
  EXPECT_TRUE(observer.collect(*view).complete);
  std::vector<std::uint64_t> pids;
  for (const NamedRow& row : rows_of(*view)) pids.push_back(row.number("pid"));
  EXPECT_EQ(pids, (std::vector<std::uint64_t>{1, 2, 700, 701, 702, 800, 900}));
  auto rows = rows_by_pid(*view);
  EXPECT_EQ(rows[701].number("tgid"), 700U);
  EXPECT_EQ(rows[701].text("comm"), "writer");
  EXPECT_EQ(rows[701].text("state"), "D");
  EXPECT_EQ(rows[702].text("comm"), "postgres");
  EXPECT_EQ(rows[702].number("threads"), 3U);
}

TEST_P(EveryReader, CollectsTheSameAgainAndNoticesChanges) {
  Guest guest(guest_as_mapped());
  populate(guest);
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest);
  Observer observer(kernel, guest.memory(), GetParam());
  observer.collect(*view);
  const auto first = rows_of(*view);
  observer.collect(*view);
  EXPECT_EQ(rows_of(*view), first);
  guest.processes().set_comm(700, "renamed");
  guest.processes().unlink(900);
  guest.add_process({.pid = 901, .comm = "new"});
  observer.collect(*view);
  auto rows = rows_by_pid(*view);
  EXPECT_EQ(rows[700].text("comm"), "renamed");
  EXPECT_FALSE(rows.contains(900));
  EXPECT_TRUE(rows.contains(901));
}

TEST_P(EveryReader, ReadsNothingOutsideRamAndFillsNoHole) {
  Guest guest(guest_as_mapped());
  populate(guest);
  guest.add_process({.pid = 950,
                     .comm = "ballooned",
                     .arguments = {"x"},
                     .arguments_are = synthetic::Residence::hole});
  const std::uint64_t allocated = guest.memory().allocated_pages();
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest);
  Observer observer(kernel, guest.memory(), GetParam());
  observer.collect(*view);
  observer.collect(*view);
  EXPECT_EQ(guest.memory().statistics().outside, 0U);
  EXPECT_EQ(guest.memory().allocated_pages(), allocated);
}

class Recorded : public EveryReader {};
INSTANTIATE_TEST_SUITE_P(Readers, Recorded,
                         ::testing::Values(ReaderKind::recording_windowed,
                                           ReaderKind::recording_gathering));

TEST_P(Recorded, RecordingsAreEqualUnlessMemoryChanged) {
  Guest guest(guest_as_mapped());
  populate(guest);
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest);
  Observer observer(kernel, guest.memory(), GetParam());
  observer.collect(*view);
  const memory::Recording first = observer.recording();
  EXPECT_GT(first.size(), 50U);
  observer.collect(*view);
  EXPECT_TRUE(observer.recording() == first);
  guest.processes().set_member(700, "start_boottime", 5'000'000'001);
  observer.collect(*view);
  EXPECT_FALSE(observer.recording() == first);
  guest.processes().set_member(700, "start_boottime", 5'000'000'000);
  observer.collect(*view);
  EXPECT_TRUE(observer.recording() == first);
}

std::uint64_t rss_of_a_process(bool statm_sums_cpus) {
  GuestOptions options;
  options.kernel.rss = synthetic::RssLayout::percpu_counters;
  options.kernel.statm_sums_cpus = statm_sums_cpus;
  options.kernel.cpus = 3;
  Guest guest(options);
  guest.add_process(
      {.pid = 5, .comm = "counted", .rss_pages = {100, 200, 50, 40}, .rss_pending = {10, -3, 20}});
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest);
  Observer observer(kernel, guest.memory(), ReaderKind::gathering);
  EXPECT_TRUE(observer.collect(*view).complete);
  return rows_by_pid(*view)[5].number("rss_bytes") / 4096;
}

TEST(ProcessMemory, AddsTheCpusPartsWhereTheKernelsOwnStatmDoes) {
  EXPECT_EQ(rss_of_a_process(true), 100U + 200 + 40);
  EXPECT_EQ(rss_of_a_process(false), 100U + 200 + 40 - 3 * (10 - 3 + 20));
}

TEST(ProcessMemory, CountsANegativeCounterAsZero) {
  Guest guest;
  guest.add_process({.pid = 5, .comm = "x", .rss_pages = {-9, 12, 0, 0}});
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = attach_processes(kernel, guest);
  Observer(kernel, guest.memory(), ReaderKind::gathering).collect(*view);
  EXPECT_EQ(rows_by_pid(*view)[5].number("rss_bytes"), 12U * 4096);
}

}  // namespace
}  // namespace vitrine::views
