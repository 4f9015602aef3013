#include "vitrine/vmm/intervention.h"

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "vitrine/vmm/pause.h"
#include "vitrine/vmm/testing/fake_qmp.h"

namespace vitrine::vmm {
namespace {

using base::Json;
using testing::FakeQmp;

const QmpLimits kPatientMonitor{std::chrono::seconds(5), std::chrono::seconds(5), 1 << 16};

// A VM that can be stopped and continued, and remembers what it was asked.
class InterruptedVm {
 public:
  explicit InterruptedVm(std::string state)
      : state_(std::move(state)),
        server_([this](const Json& request) { return answer(request["execute"]); }) {}

  std::unique_ptr<Intervention> intervention() {
    return std::move(*Intervention::begin(*Qmp::adopt(server_.client(), kPatientMonitor)));
  }
  std::vector<std::string> commands() {
    const std::lock_guard lock(mutex_);
    return commands_;
  }

 private:
  std::string answer(const std::string& command) {
    const std::lock_guard lock(mutex_);
    commands_.push_back(command);
    if (command == "stop") state_ = "paused";
    if (command == "cont") state_ = "running";
    if (command != "query-status") return "{}";
    return Json{{"running", state_ == "running"}, {"status", state_}}.dump();
  }

  std::mutex mutex_;
  std::string state_;
  std::vector<std::string> commands_;
  FakeQmp server_;
};

using Commands = std::vector<std::string>;

TEST(Pause, StopsAndContinues) {
  InterruptedVm vm("running");
  const auto intervention = vm.intervention();
  auto pause = Pause::begin(*intervention);
  ASSERT_TRUE(pause);
  const auto stopped = pause->end();
  ASSERT_TRUE(stopped);
  EXPECT_GT(*stopped, 0U);
  EXPECT_EQ(vm.commands(), (Commands{"query-status", "stop", "query-status", "cont"}));
}

TEST(Pause, ContinuesWhenItGoesOutOfScope) {
  InterruptedVm vm("running");
  const auto intervention = vm.intervention();
  { const auto pause = Pause::begin(*intervention); }
  EXPECT_EQ(vm.commands().back(), "cont");
}

TEST(Pause, LeavesAPausedVmPaused) {
  InterruptedVm vm("paused");
  const auto intervention = vm.intervention();
  auto pause = Pause::begin(*intervention);
  ASSERT_TRUE(pause);
  EXPECT_EQ(*pause->end(), 0U);
  EXPECT_EQ(vm.commands(), Commands{"query-status"});
}

TEST(Pause, RefusesAVmThatMigrates) {
  InterruptedVm vm("finish-migrate");
  const auto intervention = vm.intervention();
  const auto pause = Pause::begin(*intervention);
  ASSERT_FALSE(pause);
  EXPECT_NE(pause.error().message.find("finish-migrate"), std::string::npos);
}

TEST(Intervention, UndoesInItsOwnProcessWhatIsNotUndone) {
  InterruptedVm vm("running");
  const auto intervention = vm.intervention();
  {
    const auto change = intervention->note(
        [](Qmp& qmp, std::string_view argument) { return qmp.execute(argument).has_value(); },
        "undo-it");
    ASSERT_TRUE(change);
    EXPECT_TRUE(vm.commands().empty());
  }
  EXPECT_EQ(vm.commands(), Commands{"undo-it"});
}

TEST(Intervention, RefusesAnArgumentThatIsTooLong) {
  InterruptedVm vm("running");
  const auto intervention = vm.intervention();
  EXPECT_FALSE(intervention->note([](Qmp&, std::string_view) { return true; },
                                  std::string(Intervention::kMaximumArgument + 100, 'x')));
}

}  // namespace
}  // namespace vitrine::vmm
