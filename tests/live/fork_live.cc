// The technique `fork`: a copy of the VMM that is there only as long as it is looked at.
#include <chrono>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/vm_state.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

class Fork : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "fork"}); }
};

// The guest would pay for it with a copied page for every page it writes.
TEST_F(Fork, KeepsNoCopyBetweenObservations) {
  const json before = vm_state(guest());
  const TemporaryFolder files;
  Subprocess tool(
      vitrine_command({"ps", guest().name(), "--technique", "fork", "--watch", "60", "--json"}),
      files.path() / "out", files.path() / "err");
  const auto shown = [&files] { return read_file(files.path() / "out").find('\n'); };
  for (int i = 0; i < 500 && shown() == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  ASSERT_NE(shown(), std::string::npos) << read_file(files.path() / "err");
  EXPECT_EQ(json::diff(before, vm_state(guest())), json::array());
  EXPECT_TRUE(tool.running());
}

}  // namespace
}  // namespace vitrine::live
