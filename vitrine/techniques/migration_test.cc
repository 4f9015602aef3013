#include "vitrine/techniques/migration.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <mutex>
#include <thread>

#include "vitrine/vmm/testing/fake_qmp.h"

namespace vitrine::techniques {
namespace {

using base::Json;
using vmm::testing::FakeQmp;

const vmm::QmpLimits kPatient{std::chrono::seconds(5), std::chrono::seconds(5), 1 << 16};

// A QEMU that knows how to migrate.
class FakeVm {
 public:
  FakeVm() : server_([this](const Json& request) { return answer(request); }) {}

  std::unique_ptr<vmm::Intervention> intervention() {
    return std::move(*vmm::Intervention::begin(*vmm::Qmp::adopt(server_.client(), kPatient)));
  }
  void set(const std::string& key, const Json& value) {
    const std::lock_guard lock(mutex_);
    state_[key] = value;
  }
  Json get(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return state_.at(key);
  }

 private:
  std::string answer(const Json& request) {
    const std::lock_guard lock(mutex_);
    const std::string command = request["execute"];
    const Json arguments = request.value("arguments", Json::object());
    if (command == "query-status")
      return Json{{"running", state_["run"] == "running"}, {"status", state_["run"]}}.dump();
    if (command == "human-monitor-command")
      return Json(
                 "              Block Name    PSize              Offset               Used      "
                 "        Total\r\n                  pc.ram    4 KiB  0x0000000000000000 "
                 "0x0000000040000000 0x0000000040000000\r\n   0000:00:02.0/vga 0x9.vram    4 KiB "
                 "0x0000000040080000 0x0000000001000000 0x0000000041000000\r\n")
          .dump();
    if (command == "query-migrate") return state_["migration"].dump();
    if (command == "query-migrate-parameters") return state_["parameters"].dump();
    if (command == "migrate-set-parameters") state_["parameters"].update(arguments);
    if (command == "query-migrate-capabilities") {
      Json list = Json::array();
      for (const auto& [name, value] : state_["capabilities"].items())
        list.push_back({{"capability", name}, {"state", value}});
      return list.dump();
    }
    if (command == "migrate-set-capabilities")
      for (const Json& capability : arguments["capabilities"])
        state_["capabilities"][capability["capability"].get<std::string>()] = capability["state"];
    if (command == "migrate") {
      state_["migration"] = {{"status", "active"}};
      state_["uri"] = arguments["uri"];
    }
    if (command == "migrate_cancel") state_["migration"] = {{"status", "cancelled"}};
    if (command == "getfd") state_["fd"] = arguments["fdname"];
    if (command == "closefd") state_["fd"] = nullptr;
    return "{}";
  }

  std::mutex mutex_;
  Json state_{
      {"run", "running"},
      {"migration", Json::object()},
      {"parameters",
       {{"max-bandwidth", 134217728}, {"tls-creds", "secret"}, {"downtime-limit", 300}}},
      {"capabilities",
       {{"xbzrle", true}, {"events", true}, {"multifd", false}, {"background-snapshot", false}}},
      {"fd", nullptr}};
  FakeQmp server_;
};

TEST(Migration, SetsWhatItNeedsAndSetsItBack) {
  FakeVm vm;
  const Json parameters = vm.get("parameters");
  const Json capabilities = vm.get("capabilities");
  const auto intervention = vm.intervention();
  auto migration =
      Migration::start(*intervention, getpid(), STDIN_FILENO, MigrationKind::background_snapshot);
  ASSERT_TRUE(migration) << to_string(migration.error());
  EXPECT_EQ(
      vm.get("capabilities"),
      (Json{
          {"xbzrle", false}, {"events", true}, {"multifd", false}, {"background-snapshot", true}}));
  EXPECT_GT(vm.get("parameters")["max-bandwidth"], 1'000'000'000);
  EXPECT_EQ(vm.get("parameters")["tls-creds"], "");
  EXPECT_EQ(vm.get("uri"), "fd:" + vm.get("fd").get<std::string>());
  EXPECT_FALSE(*migration->completed());
  vm.set("migration", {{"status", "completed"}, {"downtime", 7}});
  EXPECT_TRUE(*migration->completed());
  EXPECT_EQ(migration->downtime_ns(), 7'000'000U);
  ASSERT_TRUE(migration->end());
  EXPECT_EQ(vm.get("parameters"), parameters);
  EXPECT_EQ(vm.get("capabilities"), capabilities);
  EXPECT_EQ(vm.get("fd"), nullptr);
  EXPECT_EQ(vm.get("migration")["status"], "completed");
}

TEST(Migration, CancelsWhatStillRunsWhenItGoesOutOfScope) {
  FakeVm vm;
  const Json capabilities = vm.get("capabilities");
  const auto intervention = vm.intervention();
  {
    const auto migration =
        Migration::start(*intervention, getpid(), STDIN_FILENO, MigrationKind::ordinary);
  }
  EXPECT_EQ(vm.get("migration")["status"], "cancelled");
  EXPECT_EQ(vm.get("capabilities"), capabilities);
}

TEST(Migration, ABackgroundSnapshotIsWaitedForAndNeverCancelled) {
  FakeVm vm;
  const auto intervention = vm.intervention();
  std::thread end;
  {
    const auto migration =
        Migration::start(*intervention, getpid(), STDIN_FILENO, MigrationKind::background_snapshot);
    ASSERT_TRUE(migration);
    end = std::thread([&vm] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      vm.set("migration", {{"status", "completed"}});
    });
  }
  end.join();
  EXPECT_EQ(vm.get("migration")["status"], "completed");
  EXPECT_EQ(vm.get("capabilities")["background-snapshot"], false);
}

TEST(Migration, KnowsHowMuchCanBeSent) {
  FakeVm vm;
  const auto intervention = vm.intervention();
  const auto most = Migration::most_bytes(intervention->qmp());
  ASSERT_TRUE(most) << to_string(most.error());
  EXPECT_GT(*most, 0x4100'0000U);
  EXPECT_LT(*most, 0x5000'0000U);
}

TEST(Migration, SaysHowItFailed) {
  FakeVm vm;
  const auto intervention = vm.intervention();
  auto migration = Migration::start(*intervention, getpid(), STDIN_FILENO, MigrationKind::ordinary);
  ASSERT_TRUE(migration);
  vm.set("migration", {{"status", "failed"}, {"error-desc", "no luck"}});
  const auto completed = migration->completed();
  ASSERT_FALSE(completed);
  EXPECT_NE(completed.error().message.find("no luck"), std::string::npos);
}

TEST(Migration, IsNotPossibleWhereTheVmCouldNotBeAsBefore) {
  FakeVm vm;
  const auto intervention = vm.intervention();
  const auto why = [&](MigrationKind kind = MigrationKind::ordinary) {
    const auto possible = Migration::possible(intervention->qmp(), kind);
    return possible ? "" : to_string(possible.error());
  };
  EXPECT_EQ(why(), "");
  EXPECT_EQ(why(MigrationKind::background_snapshot), "");
  vm.set("run", "paused");
  EXPECT_NE(why().find("paused"), std::string::npos);
  vm.set("run", "running");
  vm.set("migration", {{"status", "active"}});
  EXPECT_NE(why().find("under way"), std::string::npos);
  vm.set("migration", {{"status", "completed"}, {"blocked-reasons", {"a vfio device"}}});
  EXPECT_NE(why().find("a vfio device"), std::string::npos);
  vm.set("migration", {{"status", "completed"}});
  vm.set("capabilities", {{"xbzrle", false}});
  EXPECT_EQ(why(), "");
  EXPECT_NE(why(MigrationKind::background_snapshot).find("no background-snapshot"),
            std::string::npos);
}

}  // namespace
}  // namespace vitrine::techniques
