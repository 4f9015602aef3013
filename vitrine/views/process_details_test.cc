#include "vitrine/views/process_details.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_by_pid;

class DetailsTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  DetailsTest() {
    guest_.add_process({.pid = 1, .comm = "init", .threads = {{.pid = 11}}});
    signal_ = guest_.processes().of(1).signal;
    cred_ = guest_.processes().of(1).cred;
    mm_ = *guest_.processes().of(1).mm;
    for (const char* name : {"", "system.slice", "a.service"}) {
      const GuestVirtual text = kernel().allocate(64);
      kernel().write(text, name);
      const GuestVirtual parent = node_;
      node_ = make("kernfs_node");
      kernel().set(node_, "kernfs_node", "name", text.value);
      kernel().set(node_, "kernfs_node", "__parent", parent.value);
    }
    const GuestVirtual set = make("css_set");
    cgroup_ = make("cgroup");
    kernel().set(set, "css_set", "dfl_cgrp", cgroup_.value);
    kernel().set(cgroup_, "cgroup", "kn", node_.value);
    kernel().set(cgroup_, "cgroup", "self.flags", 2);
    for (const int pid : {1, 11}) guest_.processes().set_member(pid, "cgroups", set.value);
    user_ = make("user_namespace");
    kernel().set(user_, "user_namespace", "ns.inum", 4026531837);
    kernel().set(cred_, "cred", "user_ns", user_.value);
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 11;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual make(const std::string& type) {
    return kernel().allocate(kernel().types().size("struct " + type));
  }

  NamedRow row(int pid = 1, std::vector<std::string_view> columns = {}) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    const auto view = attach_processes(*located_, guest_, {.threads = pid != 1});
    if (columns.empty())
      for (const Column& column : view->columns()) columns.push_back(column.name);
    view->want(*located_, guest_.memory(), columns);
    outcome_ = observer_->collect(*view);
    return rows_by_pid(*view).at(static_cast<std::uint64_t>(pid));
  }

  Guest guest_{options()};
  GuestVirtual signal_, cred_, mm_, node_, cgroup_, user_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, DetailsTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(DetailsTest, TellHowATaskIsScheduled) {
  guest_.processes().set_member(1, "static_prio", 127);
  guest_.processes().set_member(1, "prio", 57);
  guest_.processes().set_member(1, "policy", 2);
  guest_.processes().set_member(1, "rt_priority", 42);
  guest_.processes().set_member(1, "thread_info.cpu", 1);
  const NamedRow found = row();
  EXPECT_EQ(std::get<std::int64_t>(found.values.at("nice")), 7);
  EXPECT_EQ(std::get<std::int64_t>(found.values.at("priority")), -43);
  EXPECT_EQ(found.text("policy"), "SCHED_RR");
  EXPECT_EQ(found.number("rt_priority"), 42U);
  EXPECT_EQ(found.number("cpu"), 1U);
}

TEST_P(DetailsTest, AddUpTheTimesOfThreads) {
  kernel().set(signal_, "signal_struct", "sum_sched_runtime", 1000);
  kernel().set(signal_, "signal_struct", "stime", 50);
  for (const int pid : {1, 11}) {
    guest_.processes().set_member(pid, "se.sum_exec_runtime", 500);
    guest_.processes().set_member(pid, "utime", 75);
  }
  EXPECT_EQ(row().number("cpu_ns"), 2000U);
  EXPECT_EQ(row().number("utime_ns"), 1500U);
  EXPECT_EQ(row().number("stime_ns"), 500U);
  EXPECT_EQ(row(11).number("cpu_ns"), 500U);
}

TEST_P(DetailsTest, TellRightsAndWhereATaskLives) {
  kernel().set(cred_, "cred", "cap_effective", 0x1fffff);
  guest_.processes().set_member(1, "seccomp.mode", 2);
  guest_.processes().set_member(1, "atomic_flags", 3);
  const GuestVirtual tty = make("tty_struct");
  kernel().write(tty + kernel().types().offset("tty_struct", "name"), "pts12");
  kernel().set(signal_, "signal_struct", "tty", tty.value);
  kernel().set(mm_, "mm_struct", "total_vm", 300);
  const NamedRow found = row();
  EXPECT_EQ(found.text("cap_effective"), "00000000001fffff");
  EXPECT_EQ(found.text("seccomp"), "filter");
  EXPECT_TRUE(found.flag("no_new_privs"));
  EXPECT_EQ(found.text("tty"), "pts/12");
  EXPECT_EQ(found.text("cgroup"), "/system.slice/a.service");
  EXPECT_EQ(found.number("user_ns"), 4026531837U);
  EXPECT_EQ(found.number("vsz_bytes"), 300U * 4096);
  // This kernel knows no network namespaces; the process has no number in a PID namespace.
  EXPECT_TRUE(found.is_null("net_ns"));
  EXPECT_FALSE(found.errors.contains("net_ns"));
  EXPECT_TRUE(found.is_null("pid_ns"));
  kernel().set(cgroup_, "cgroup", "self.flags", 0);
  EXPECT_EQ(row().text("cgroup"), "/system.slice/a.service (deleted)");
}

TEST_P(DetailsTest, AreCollectedOnDemandOnly) {
  EXPECT_TRUE(row(1, {"pid", "comm"}).is_null("nice"));
  EXPECT_FALSE(row(1, {"pid", "nice"}).is_null("nice"));
  EXPECT_TRUE(row(1, {"pid", "nice"}).is_null("cgroup"));
}

TEST_P(DetailsTest, SayWhatCouldNotBeRead) {
  kernel().set(node_, "kernfs_node", "__parent", node_.value);
  kernel().set(signal_, "signal_struct", "tty", 0x1000);
  const GuestVirtual node =
      kernel().member(guest_.processes().task(11), "task_struct", "thread_node");
  kernel().put(node, node.value);
  const NamedRow found = row();
  for (const char* column : {"cgroup", "tty", "cpu_ns"}) {
    EXPECT_TRUE(found.is_null(column)) << column;
    EXPECT_TRUE(found.errors.contains(column)) << column;
  }
}

TEST_P(DetailsTest, WhateverTheyHoldACollectionEnds) {
  std::mt19937_64 random = synthetic::random_of_test();
  const std::vector<GuestVirtual> objects{
      guest_.processes().task(1), signal_, cred_, mm_, node_, cgroup_, user_};
  for (int round = 0; round < 60; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 300 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    kernel().put(at, random() % 2 == 0 ? random() : objects[random() % objects.size()].value);
    try {
      row();
    } catch (const std::out_of_range&) {
      // The process itself is gone from the list.
    }
    kernel().put(at, before);
  }
  EXPECT_EQ(row().text("cgroup"), "/system.slice/a.service");
}

}  // namespace
}  // namespace vitrine::views
