// A VM that was started with a debugger stub: it is used, and left as it was.
#include "tests/live/guest_test.h"
#include "tests/live/stub_state.h"
#include "tests/live/vm_state.h"
#include "vitrine/vmm/gdb_remote.h"
#include "vitrine/vmm/qmp_socket.h"

namespace vitrine::live {
namespace {

class StubTest : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "debugged",
          .sleepers = 5,
          .arguments = {"-gdb", "unix:FOLDER/gdb,server=on,wait=off"}});
  }
  static std::filesystem::path stub() { return guest().folder() / "gdb"; }
  static Finished ps() { return vitrine({"ps", guest().name(), "--technique", "gdb"}); }
};

TEST_F(StubTest, IsUsedAndLeftInItsMode) {
  for (const bool physical : {false, true}) {
    nlohmann::json before;
    {
      QmpClient qmp(guest().qmp());
      set_physical_mode(qmp, stub(), physical);
      before = vm_state(qmp, guest());
    }
    EXPECT_THAT(compare_ps(guest(), {"--technique", "gdb"}), testing::IsEmpty());
    QmpClient qmp(guest().qmp());
    EXPECT_EQ(nlohmann::json::diff(before, vm_state(qmp, guest())), nlohmann::json::array());
    EXPECT_EQ(physical_mode(qmp, stub()), physical);
    set_physical_mode(qmp, stub(), false);
  }
}

TEST_F(StubTest, IsLeftToTheDebuggerThatHoldsIt) {
  auto debugger = vmm::connect(stub().string(), std::chrono::seconds(5));
  ASSERT_TRUE(debugger);
  auto remote = vmm::GdbRemote::adopt(std::move(*debugger));
  ASSERT_TRUE(remote);
  const Finished finished = ps();
  EXPECT_EQ(finished.status, 1);
  EXPECT_THAT(finished.errors, testing::HasSubstr("another debugger"));
  QmpClient qmp(guest().qmp());
  EXPECT_EQ(qmp.execute("query-status").at("status"), "paused");
  qmp.execute("cont");
}

}  // namespace
}  // namespace vitrine::live
