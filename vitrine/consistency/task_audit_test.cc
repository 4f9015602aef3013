#include "vitrine/consistency/task_audit.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"

namespace vitrine::consistency {
namespace {

using base::GuestVirtual;
using synthetic::Guest;

constexpr std::uint32_t kNew = 0x800;

class TaskAuditTest : public ::testing::TestWithParam<synthetic::ReaderKind> {
 protected:
  TaskAuditTest() {
    guest_.add_process({.pid = 1, .comm = "init", .threads = {{.pid = 11}, {.pid = 12}}});
    for (int pid = 2; pid <= 4; ++pid) guest_.add_process({.pid = pid, .comm = "task"});
    for (const int pid : {1, 11, 12, 2, 3, 4}) give_id(pid);
    kernel_.emplace(locate_kernel(guest_));
    observer_.emplace(*kernel_, guest_.memory(), GetParam());
    auto audit = TaskAudit::attach(*kernel_);
    if (!audit) throw std::runtime_error(to_string(audit.error()));
    audit_ = std::move(*audit);
  }
  static synthetic::GuestOptions options() {
    synthetic::GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 3;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual task(int pid) { return guest_.processes().task(pid); }
  void set(int pid, const char* member, std::uint64_t value) {
    kernel().set(task(pid), "task_struct", member, value);
  }

  // A struct pid that leads back to the task.
  void give_id(int pid) {
    const GuestVirtual id = kernel().allocate(kernel().types().size("struct pid"));
    kernel().put(kernel().member(id, "pid", "numbers"), pid);
    kernel().put(kernel().member(id, "pid", "tasks"),
                 kernel().member(task(pid), "task_struct", "pid_links").value);
    set(pid, "thread_pid", id.value);
  }

  // What is met, by name, of the kinds that are met at all.
  std::map<std::string, std::uint32_t> met() {
    observer_->collect(*audit_);
    std::map<std::string, std::uint32_t> met;
    for (std::size_t i = 0; i < kKinds; ++i)
      if (const std::uint32_t count = audit_->counts().at(i); count > 0)
        met[std::string(info(static_cast<Kind>(i)).name)] = count;
    return met;
  }
  using Met = std::map<std::string, std::uint32_t>;

  Guest guest_{options()};
  std::optional<kernel::Kernel> kernel_;
  std::optional<synthetic::Observer> observer_;
  std::unique_ptr<TaskAudit> audit_;
};
INSTANTIATE_TEST_SUITE_P(Readers, TaskAuditTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(TaskAuditTest, WhatFitsTogetherHasNoKind) {
  EXPECT_EQ(met(), Met{});
  EXPECT_EQ(audit_->tasks(), 6U);
}

TEST_P(TaskAuditTest, StatesOfTheGuestItselfAreToldApart) {
  set(2, "exit_state", synthetic::exit_zombie);
  set(3, "flags", synthetic::flag_exiting);
  set(12, "__state", kNew);
  EXPECT_EQ(met(), (Met{{"zombie", 1}, {"dying", 1}, {"fresh", 1}}));
  set(3, "mm", 0);
  set(2, "exit_state", synthetic::exit_zombie | synthetic::exit_dead);
  EXPECT_EQ(met(), (Met{{"dead", 1}, {"as_good_as_dead", 1}, {"fresh", 1}}));
}

TEST_P(TaskAuditTest, RelationsThatAreBrokenAreToldApart) {
  const auto once = [this](GuestVirtual at, std::uint64_t value) {
    const auto before = kernel().get<std::uint64_t>(at);
    kernel().put(at, value);
    Met all = met();
    kernel().put(at, before);
    return all;
  };
  const GuestVirtual node = guest_.processes().list_node(3);
  EXPECT_EQ(once(node + 8, node.value), (Met{{"neighbours", 1}}));
  EXPECT_EQ(once(node + 8, 0xdead000000000122), (Met{{"unlinked", 1}}));
  EXPECT_EQ(once(node, 0), (Met{{"walk_astray", 1}}));
  EXPECT_EQ(once(node, guest_.processes().list_node(2).value).at("walk_astray"), 1U);
  EXPECT_EQ(once(kernel().member(task(2), "task_struct", "thread_pid"), 0),
            (Met{{"pid_astray", 1}}));
  const GuestVirtual other(kernel().value(task(4), "task_struct", "thread_pid"));
  EXPECT_EQ(once(kernel().member(task(2), "task_struct", "thread_pid"), other.value),
            (Met{{"pid_astray", 1}}));
  const GuestVirtual signal(kernel().value(task(4), "task_struct", "signal"));
  EXPECT_EQ(once(kernel().member(task(11), "task_struct", "signal"), signal.value),
            (Met{{"wrong_group", 1}}));
  kernel().set(signal, "signal_struct", "nr_threads", 2);
  EXPECT_EQ(met(), (Met{{"thread_count", 1}}));
  kernel().set(signal, "signal_struct", "nr_threads", 1);
  set(4, "usage.refs.counter", 0);
  EXPECT_EQ(met(), (Met{{"freed", 1}}));
}

}  // namespace
}  // namespace vitrine::consistency
