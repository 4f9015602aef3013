// Nothing is lost when the tool is killed at any instant, whatever the technique or the pause.
#include <optional>
#include <random>

#include "tests/live/guest_test.h"
#include "tests/live/vm_state.h"

namespace vitrine::live {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class TechniqueKillTest : public GuestTest, public testing::WithParamInterface<std::string> {
 protected:
  static void SetUpTestSuite() { boot({.name = "kills", .memory = "192M", .sleepers = 5}); }

  std::vector<std::string> command() const {
    std::vector<std::string> whole{"env", "TMPDIR=" + images_.path().string()};
    for (const std::string& argument :
         vitrine_command({"ps", guest().name(), GetParam()}, files_.path()))
      whole.push_back(argument);
    return whole;
  }
  milliseconds time_to_finish() const {
    const Clock::time_point start = Clock::now();
    EXPECT_EQ(run(command(), std::chrono::seconds(60)).status, 0);
    return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  }

  void kill_at_random_instants(int times) {
    // The first run fills the cache, the second shows how long one takes.
    (void)time_to_finish();
    milliseconds usual = time_to_finish();
    const nlohmann::json before = vm_state(guest());
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    int killed = 0;
    for (int i = 0; i < times && !HasFailure(); ++i) {
      const milliseconds instant(
          std::uniform_int_distribution<long>(0, usual.count() * 11 / 10)(random));
      SCOPED_TRACE(testing::Message() << "seed " << seed << ", round " << i << ", killed after "
                                      << instant.count() << " of " << usual.count() << " ms");
      const std::optional<milliseconds> finished = kill_after(instant);
      if (finished)
        usual = *finished;  // which follows a machine that is less busy now
      else
        ++killed;
      // Waits for the guardian, which occupies the socket until all is undone.
      const nlohmann::json after = vm_state(guest());
      EXPECT_EQ(nlohmann::json::diff(before, after), nlohmann::json::array());
      EXPECT_TRUE(std::filesystem::is_empty(images_.path())) << "a temporary file is left";
      // Only a guest that runs answers.
      EXPECT_EQ(guest().run("echo alive", std::chrono::seconds(30)), "alive\n");
    }
    EXPECT_GT(killed, times / 4) << "nearly all runs ended before they were killed";
  }

 private:
  // How long it ran, if it ended before.
  std::optional<milliseconds> kill_after(milliseconds instant) const {
    const Clock::time_point start = Clock::now();
    Subprocess tool(command(), files_.path() / "out", files_.path() / "err");
    if (tool.wait(instant)) return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
    tool.kill();
    return std::nullopt;
  }

  TemporaryFolder images_;
  TemporaryFolder files_;
};

INSTANTIATE_TEST_SUITE_P(Any, TechniqueKillTest, testing::ValuesIn(ways_on_any_vm()),
                         [](const auto& id) { return test_name(id.param); });

// A hundred in all; with `full`, a thousand more.
TEST_P(TechniqueKillTest, LosesNothing) {
  kill_at_random_instants(1 + 100 / static_cast<int>(ways_on_any_vm().size()));
}

TEST_P(TechniqueKillTest, OftenLosesNothing) {
  kill_at_random_instants(1 + 1000 / static_cast<int>(ways_on_any_vm().size()));
}

}  // namespace
}  // namespace vitrine::live
