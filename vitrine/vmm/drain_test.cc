#include "vitrine/vmm/drain.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "vitrine/vmm/testing/fake_qmp.h"

namespace vitrine::vmm {
namespace {

using base::Json;
using testing::FakeQmp;

const QmpLimits kPatient{std::chrono::seconds(5), std::chrono::seconds(5), 1 << 16};

// A running VM with these jobs and exports.
class FakeVm {
 public:
  FakeVm(const std::string& jobs, const std::string& exports, const std::string& status = "running")
      : running_(status == "running"),
        server_([this, jobs, exports, status](const Json& request) -> std::string {
          const std::string command = request["execute"];
          if (command == "stop") running_ = false;
          if (command == "cont") running_ = true;
          if (command == "query-status")
            return Json{{"running", running_.load()},
                        {"status", running_ || status != "running" ? status : "paused"}}
                .dump();
          if (command == "query-jobs") return jobs;
          if (command == "query-block-exports") return exports;
          return "{}";
        }),
        intervention_(std::move(*Intervention::begin(*Qmp::adopt(server_.client(), kPatient)))) {}

  base::Result<Drain> drain() { return Drain::begin(*intervention_); }
  bool running() const { return running_; }

 private:
  std::atomic<bool> running_;
  FakeQmp server_;
  std::unique_ptr<Intervention> intervention_;
};

TEST(Drain, StopsTheVmAndLetsItGoOn) {
  FakeVm vm("[]", "[]");
  auto drain = vm.drain();
  ASSERT_TRUE(drain) << drain.error().message;
  EXPECT_FALSE(vm.running());
  EXPECT_GT(drain->took_ns(), 0U);
  const auto stopped = drain->end();
  ASSERT_TRUE(stopped);
  EXPECT_GE(*stopped, drain->took_ns());
  EXPECT_TRUE(vm.running());
}

TEST(Drain, RefusesAGuestThatSuspendedItself) {
  FakeVm vm("[]", "[]", "suspended");
  const auto drain = vm.drain();
  ASSERT_FALSE(drain);
  EXPECT_EQ(drain.error().code, base::Code::unsupported);
}

TEST(Drain, AJobThatIsOverDoesNoHarm) {
  FakeVm vm(R"([{"id":"a","type":"create","status":"concluded"}])", "[]");
  EXPECT_TRUE(vm.drain());
}

TEST(Drain, RefusesAndContinuesWhileAJobCopiesADisk) {
  FakeVm vm(R"([{"id":"a","type":"mirror","status":"running"}])", "[]");
  const auto drain = vm.drain();
  ASSERT_FALSE(drain);
  EXPECT_EQ(drain.error().code, base::Code::unsupported);
  EXPECT_NE(drain.error().remedy.find("query-jobs"), std::string::npos);
  EXPECT_TRUE(vm.running());
}

TEST(Drain, RefusesWhileOthersUseADisk) {
  FakeVm vm("[]", R"([{"id":"a","type":"nbd"}])");
  const auto drain = vm.drain();
  ASSERT_FALSE(drain);
  EXPECT_EQ(drain.error().code, base::Code::unsupported);
  EXPECT_TRUE(vm.running());
}

TEST(Drain, RefusesWhatCannotBeUnderstood) {
  EXPECT_FALSE(FakeVm("{}", "[]").drain());
  EXPECT_FALSE(FakeVm("[1]", "[]").drain());
  EXPECT_FALSE(FakeVm("[]", "7").drain());
}

}  // namespace
}  // namespace vitrine::vmm
