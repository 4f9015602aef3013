#include "tests/synthetic/processes.h"

#include <gtest/gtest.h>

#include "tests/synthetic/guest.h"

namespace vitrine::synthetic {
namespace {

// Follows the task list by the offsets of the types, from init_task, at most a hundred steps.
std::vector<std::uint64_t> listed_pids(Kernel& kernel) {
  std::vector<std::uint64_t> pids;
  const std::uint64_t tasks = kernel.types().offset("task_struct", "tasks");
  const GuestVirtual head = kernel.symbol("init_task") + tasks;
  GuestVirtual node(kernel.get<std::uint64_t>(head));
  while (node != head && pids.size() < 100) {
    EXPECT_EQ(kernel.get<std::uint64_t>(GuestVirtual(kernel.get<std::uint64_t>(node)) + 8),
              node.value);
    pids.push_back(kernel.value(node - tasks, "task_struct", "pid"));
    node = GuestVirtual(kernel.get<std::uint64_t>(node));
  }
  return pids;
}

using Pids = std::vector<std::uint64_t>;

class SyntheticProcesses : public ::testing::TestWithParam<unsigned> {
 protected:
  static GuestOptions options() {
    GuestOptions options;
    options.kernel.shuffle_seed = GetParam();
    return options;
  }
  std::uint64_t of_task(int pid, std::string_view member) {
    return kernel_.value(guest_.processes().task(pid), "task_struct", member);
  }

  Guest guest_{options()};
  Kernel& kernel_ = guest_.kernel();
};

TEST_P(SyntheticProcesses, AreLinkedAsTheKernelLinksThem) {
  EXPECT_EQ(listed_pids(kernel_), Pids{});
  guest_.add_process({.pid = 1, .comm = "init", .uid = 0});
  guest_.add_process({.pid = 2, .comm = "kthreadd", .kernel_thread = true});
  guest_.add_process({.pid = 700,
                      .parent = 1,
                      .comm = "server",
                      .uid = 33,
                      .gid = 34,
                      .start_boottime = 5000,
                      .threads = {{.pid = 701, .comm = "worker"}}});
  EXPECT_EQ(listed_pids(kernel_), (Pids{1, 2, 700}));
  EXPECT_EQ(of_task(700, "tgid"), 700U);
  EXPECT_EQ(of_task(701, "tgid"), 700U);
  EXPECT_EQ(of_task(700, "real_parent"), guest_.processes().task(1).value);
  EXPECT_EQ(of_task(700, "start_boottime"), 5000U);
  EXPECT_EQ(of_task(2, "flags") & flag_kernel_thread, flag_kernel_thread);
  EXPECT_EQ(of_task(2, "mm"), 0U);
  const GuestVirtual cred(of_task(700, "real_cred"));
  EXPECT_EQ(kernel_.value(cred, "cred", "uid.val"), 33U);
  EXPECT_EQ(kernel_.value(cred, "cred", "gid.val"), 34U);
  const GuestVirtual signal(of_task(700, "signal"));
  EXPECT_EQ(kernel_.value(signal, "signal_struct", "nr_threads"), 2U);
}

TEST_P(SyntheticProcesses, ThreadsHangOffTheSignalStruct) {
  guest_.add_process({.pid = 7, .comm = "x", .threads = {{.pid = 8}, {.pid = 9}}});
  const GuestVirtual head =
      kernel_.member(GuestVirtual(of_task(7, "signal")), "signal_struct", "thread_head");
  const std::uint64_t offset = kernel_.types().offset("task_struct", "thread_node");
  Pids pids;
  for (GuestVirtual node(kernel_.get<std::uint64_t>(head)); node != head && pids.size() < 10;
       node = GuestVirtual(kernel_.get<std::uint64_t>(node)))
    pids.push_back(kernel_.value(node - offset, "task_struct", "pid"));
  EXPECT_EQ(pids, (Pids{7, 8, 9}));
}

TEST_P(SyntheticProcesses, CanBeUnlinkedAndTheirMemoryReused) {
  for (const int pid : {1, 2, 3}) guest_.add_process({.pid = pid, .comm = "task"});
  const GuestVirtual second = guest_.processes().task(2);
  guest_.processes().reuse(2, {.pid = 9, .comm = "new"});
  EXPECT_EQ(listed_pids(kernel_), (Pids{1, 3, 9}));
  EXPECT_EQ(guest_.processes().task(9), second);
  guest_.processes().unlink(9);
  EXPECT_EQ(listed_pids(kernel_), (Pids{1, 3}));
}

INSTANTIATE_TEST_SUITE_P(Shuffles, SyntheticProcesses, ::testing::Values(0U, 1U, 2U));

TEST(SyntheticProcessesDamage, TheListCanBecomeACycle) {
  Guest guest;
  for (const int pid : {1, 2}) guest.add_process({.pid = pid, .comm = "task"});
  guest.processes().set_next(2, guest.processes().list_node(1));
  Kernel& kernel = guest.kernel();
  const GuestVirtual first = guest.processes().list_node(1);
  const GuestVirtual second(kernel.get<std::uint64_t>(first));
  EXPECT_EQ(kernel.get<std::uint64_t>(second), first.value);
}

TEST(SyntheticProcessesDamage, ANameMayFillAllItsBytes) {
  Guest guest;
  guest.add_process({.pid = 1, .comm = "sixteen-bytes-xx-cut"});
  guest.add_process({.pid = 2, .comm = "plain"});
  guest.processes().set_comm(2, "\x1b[2J\n");
  Kernel& kernel = guest.kernel();
  const auto comm = [&](int pid) {
    return kernel.get<std::array<char, 16>>(
        kernel.member(guest.processes().task(pid), "task_struct", "comm"));
  };
  const std::array<char, 16> full = comm(1);
  EXPECT_EQ(std::string_view(full.data(), full.size()), "sixteen-bytes-xx");
  EXPECT_EQ(std::string_view(comm(2).data()), "\x1b[2J\n");
}

TEST(SyntheticProcessesMemory, ACommandLineCrossesPages) {
  Guest guest;
  guest.add_process({.pid = 1, .comm = "init", .arguments = {"/sbin/init", std::string(200, 'x')}});
  Kernel& kernel = guest.kernel();
  const ProcessObjects& init = guest.processes().of(1);
  const GuestPhysical root(kernel.value(*init.mm, "mm_struct", "pgd") - kernel.page_offset());
  EXPECT_EQ(root, init.tables->root());
  std::string text;
  const std::uint64_t end = kernel.value(*init.mm, "mm_struct", "arg_end");
  for (GuestVirtual at(kernel.value(*init.mm, "mm_struct", "arg_start")); at.value < end;
       at = at + 1)
    text += guest.memory().get<char>(naive_translate(guest.memory(), root, 4, at).value());
  EXPECT_EQ(text, std::string("/sbin/init\0", 11) + std::string(200, 'x') + '\0');
}

TEST(SyntheticProcessesMemory, ACommandLineMayBeAway) {
  Guest guest;
  int pid = 0;
  for (const Residence away :
       {Residence::swapped_out, Residence::protection_none, Residence::not_mapped}) {
    guest.add_process({.pid = ++pid, .comm = "x", .arguments = {"x"}, .arguments_are = away});
    const GuestPhysical root = guest.processes().of(pid).tables->root();
    EXPECT_EQ(naive_translate(guest.memory(), root, 4, GuestVirtual(0x7ffd12345f80)), std::nullopt);
  }
  guest.add_process(
      {.pid = ++pid, .comm = "x", .arguments = {"x"}, .arguments_are = Residence::hole});
  const auto frame = naive_translate(guest.memory(), guest.processes().of(pid).tables->root(), 4,
                                     GuestVirtual(0x7ffd12345f80));
  ASSERT_TRUE(frame.has_value());
  EXPECT_FALSE(guest.memory().is_populated(*frame));
}

TEST(SyntheticProcessesMemory, ResidentPagesAreCountedInEitherLayout) {
  GuestOptions options;
  Guest early(options);
  early.add_process({.pid = 1, .comm = "init", .rss_pages = {10, 20, 3, 4}});
  const GuestVirtual old_mm = *early.processes().of(1).mm;
  const GuestVirtual counts = early.kernel().member(old_mm, "mm_struct", "rss_stat.count");
  EXPECT_EQ(early.kernel().get<std::int64_t>(counts + 8ul * anonymous_pages), 20);

  options.kernel.rss = RssLayout::percpu_counters;
  Guest late(options);
  late.add_process({.pid = 1, .comm = "init", .rss_pages = {10, 20, 3, 4}, .rss_pending = {5, -2}});
  Kernel& kernel = late.kernel();
  const GuestVirtual counter =
      kernel.member(*late.processes().of(1).mm, "mm_struct", "rss_stat") +
      std::uint64_t{anonymous_pages} * kernel.types().size("struct percpu_counter");
  EXPECT_EQ(kernel.value(counter, "percpu_counter", "count"), 17U);
  const GuestVirtual parts(kernel.value(counter, "percpu_counter", "counters"));
  EXPECT_EQ(kernel.get<std::int32_t>(parts + kernel.percpu_offset(0)), 5);
  EXPECT_EQ(kernel.get<std::int32_t>(parts + kernel.percpu_offset(1)), -2);
}

}  // namespace
}  // namespace vitrine::synthetic
