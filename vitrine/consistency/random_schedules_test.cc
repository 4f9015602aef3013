// Verdicts against the truth, with structures of the kernel: tasks are linked and unlinked, and
// file systems mounted and unmounted, at random moments between the loads of an observation, each
// store a step of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/synthetic/driven.h"
#include "tests/synthetic/files.h"
#include "vitrine/views/mounts.h"

namespace vitrine::consistency {
namespace {

using base::GuestVirtual;
using synthetic::By;
using synthetic::Guest;

// Links nodes into a doubly linked list of the kernel and out of it, as its writers do.
class ListWriter {
 public:
  using Shown = std::vector<GuestVirtual>;  // nodes in the order of the list

  ListWriter(synthetic::Kernel& kernel, GuestVirtual head, std::vector<GuestVirtual> nodes)
      : kernel_(kernel), head_(head), nodes_(std::move(nodes)) {}

  // The stores of one more change: the first node that is out is linked in, or one unlinked.
  void plan(std::mt19937_64& random) {
    const Shown in = shown();
    std::vector<GuestVirtual> out;
    for (const GuestVirtual node : nodes_)
      if (std::ranges::find(in, node) == in.end()) out.push_back(node);
    const bool link = in.size() < 2 || (!out.empty() && random() % 2 == 0);
    if (link) {
      const GuestVirtual node = out[random() % out.size()];
      const GuestVirtual before = in.empty() ? head_ : in.back();
      steps_ = {{node, head_.value},
                {node + 8, before.value},
                {before, node.value},
                {head_ + 8, node.value}};
      return;
    }
    const std::size_t which = random() % in.size();
    const GuestVirtual before = which == 0 ? head_ : in[which - 1];
    const GuestVirtual after = which + 1 == in.size() ? head_ : in[which + 1];
    steps_ = {
        {after + 8, before.value}, {before, after.value}, {in[which] + 8, 0xdead000000000122}};
  }
  bool planned() const { return !steps_.empty(); }
  void step() {
    const auto [at, value] = steps_.front();
    steps_.erase(steps_.begin());
    stores_.push_back({at, kernel_.get<std::uint64_t>(at), value});
    kernel_.put(at, value);
  }

  // What following the list would show now.
  Shown shown() const {
    Shown all;
    for (GuestVirtual at(kernel_.get<std::uint64_t>(head_)); at != head_ && all.size() < 100;
         at = GuestVirtual(kernel_.get<std::uint64_t>(at)))
      all.push_back(at);
    return all;
  }

  // Whether a word was given a value back that it had had since the last call.
  bool returned() {
    bool any = false;
    std::map<GuestVirtual, std::vector<std::uint64_t>> had;
    for (const Store& store : stores_) {
      std::vector<std::uint64_t>& values = had[store.at];
      values.push_back(store.before);
      any |= store.before != store.after && std::ranges::find(values, store.after) != values.end();
    }
    stores_.clear();
    return any;
  }

 private:
  struct Store {
    GuestVirtual at;
    std::uint64_t before = 0, after = 0;
  };

  synthetic::Kernel& kernel_;
  GuestVirtual head_;
  std::vector<GuestVirtual> nodes_;
  std::vector<std::pair<GuestVirtual, std::uint64_t>> steps_;
  std::vector<Store> stores_;
};

class RandomSchedules : public ::testing::TestWithParam<By> {
 protected:
  using Shown = ListWriter::Shown;

  // Observes again and again while the writer, who locks and unlocks, takes steps by chance.
  synthetic::Judgement<Shown> run(ListWriter& writer, views::View& view,
                                  const std::function<Shown()>& seen,
                                  const std::function<void()>& lock,
                                  const std::function<void()>& unlock) {
    synthetic::Driver driver(kernel_, guest_, GetParam());
    synthetic::Judgement<Shown> judgement;
    bool held = false;
    for (int round = 0; round < 400; ++round) {
      std::vector<synthetic::Moment<Shown>> history{{writer.shown(), held}};
      const std::uint64_t patience = std::uint64_t{1} << (round % 12);
      const Collection collected =
          driver.collect(view, synthetic::one_try, [&](std::uint64_t /*moment*/) {
            if (random_() % patience != 0) return;
            if (!held && random_() % 8 != 0) return;
            if (!held) {
              writer.plan(random_);
              lock();
              held = true;
            } else if (writer.planned()) {
              writer.step();
            } else {
              unlock();
              held = false;
            }
            history.push_back({writer.shown(), held});
          });
      judgement.judge(collected.verdict, seen(), history, writer.returned());
    }
    return judgement;
  }

  Guest guest_{synthetic::Driver::options()};
  synthetic::Locks locks_{guest_.kernel()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  std::optional<kernel::Kernel> located_;
  kernel::Kernel& kernel_ = locate();
  std::mt19937_64 random_{7};

  kernel::Kernel& locate() {
    for (int pid = 1; pid <= 6; ++pid) guest_.add_process({.pid = pid, .comm = "task"});
    files_.attach(1);
    located_.emplace(locate_kernel(guest_));
    return *located_;
  }
};
INSTANTIATE_TEST_SUITE_P(Readers, RandomSchedules, ::testing::Values(By::windows, By::gathering));

TEST_P(RandomSchedules, OfTasksThatComeAndGo) {
  synthetic::Kernel& kernel = guest_.kernel();
  std::vector<GuestVirtual> nodes;
  for (int pid = 1; pid <= 6; ++pid) nodes.push_back(guest_.processes().list_node(pid));
  ListWriter writer(kernel, guest_.processes().list_node(0), nodes);
  const auto view = attach_processes(kernel_, guest_, {.command_lines = false});
  const auto& processes = dynamic_cast<const views::Processes&>(*view);
  const GuestVirtual lock = kernel.symbol("tasklist_lock");
  const auto judgement = run(
      writer, *view,
      [&] {
        Shown shown;
        for (const views::Process& process : processes.processes())
          shown.push_back(guest_.kernel().member(process.task, "task_struct", "tasks"));
        return shown;
      },
      [&] { locks_.write_lock(lock); }, [&] { locks_.write_unlock(lock); });
  EXPECT_EQ(judgement.wrong, 0);
  EXPECT_GT(judgement.unchanged, judgement.quiescent);
  EXPECT_GT(judgement.quiescent, 20);
  // What is gathered in few pieces is hardly ever torn.
  EXPECT_TRUE(judgement.torn > 0 || GetParam() == By::gathering);
}

// A tree of mounts, and a sequence count that is never deceived.
TEST_P(RandomSchedules, OfFileSystemsThatAreMountedAndUnmounted) {
  synthetic::Kernel& kernel = guest_.kernel();
  std::vector<GuestVirtual> nodes;
  std::map<std::uint64_t, GuestVirtual> by_id;
  for (int i = 0; i < 4; ++i) {
    const GuestVirtual root = files_.entry(files_.file_system("ext4", 8), {}, "/", 0040755);
    const GuestVirtual mount = files_.mount(root, files_.root_mount(), files_.root_entry());
    nodes.push_back(kernel.member(mount, "mount", "mnt_child"));
    by_id[kernel.value(mount, "mount", "mnt_id")] = nodes.back();
  }
  ListWriter writer(kernel, kernel.member(files_.root_mount(), "mount", "mnt_mounts"), nodes);
  auto view = views::Mounts::attach(kernel_, guest_.memory());
  ASSERT_TRUE(view);
  const GuestVirtual semaphore = kernel.symbol("namespace_sem");
  const GuestVirtual sequence = kernel.symbol("mount_lock");
  const auto judgement = run(
      writer, **view,
      [&] {
        Shown shown;
        for (const synthetic::NamedRow& row : synthetic::rows_of(**view))
          if (const auto node = by_id.find(row.number("id")); node != by_id.end())
            shown.push_back(node->second);
        return shown;
      },
      [&] {
        locks_.down_write(semaphore);
        locks_.write_sequence(sequence);
      },
      [&] {
        locks_.write_sequence(sequence);
        locks_.up_write(semaphore);
      });
  EXPECT_EQ(judgement.wrong, 0);
  EXPECT_EQ(judgement.deceived_quiescent, 0);
  EXPECT_GT(judgement.unchanged, judgement.quiescent);
  EXPECT_GT(judgement.quiescent, 20);
}

}  // namespace
}  // namespace vitrine::consistency
