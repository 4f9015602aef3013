// Observations of one instant, with and without writers at work, of guests that rest and of one
// that forks without pause.
#include <algorithm>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

using nlohmann::json;

const json& verdict(const json& document) { return document.at("observation").at("consistency"); }

json entry_of(const json& list, const char* key, const std::string& value) {
  for (const json& entry : list)
    if (entry.at(key) == value) return entry;
  return {};
}

class ConsistencyTest : public testing::TestWithParam<const char*> {};

// All on one guest: what it says of itself is not asked for, so it may rest and storm in turn.
TEST_P(ConsistencyTest, IsWhatTheLocksAndTheTasksShow) {
  if (!kernel_available(GetParam())) GTEST_SKIP() << "SKIPPED: guest kernel " << GetParam();
  Guest guest({.kernel = GetParam(),
               .name = std::string("consistency-") + GetParam(),
               .arguments = {"-smp", "2"}});
  guest.run("guest_tool zombie; guest_tool threads 4");

  // A guest that rests: every view, and the locks of this kernel are understood.
  for (const char* view : {"ps", "lsof", "mount", "stack"}) {
    const json seen = vitrine_json({view, guest.name(), "--quiescent"});
    EXPECT_EQ(verdict(seen).at("atomic"), "unchanged") << view;
    EXPECT_EQ(verdict(seen).at("quiescent"), "yes") << view << verdict(seen);
    EXPECT_GE(verdict(seen).at("collects"), 2) << view;
  }
  const json frozen = vitrine_json({"ps", guest.name(), "--pause=freeze", "--quiescent"});
  EXPECT_EQ(verdict(frozen).at("atomic"), "proved");
  EXPECT_EQ(verdict(frozen).at("quiescent"), "yes");
  EXPECT_EQ(verdict(frozen).at("collects"), 1);
  const json copied = vitrine_json({"ps", guest.name(), "--technique=fork", "--quiescent"});
  EXPECT_EQ(verdict(copied).at("atomic"), "proved");
  EXPECT_EQ(verdict(copied).at("quiescent"), "yes");
  const json log = vitrine_json({"dmesg", guest.name(), "--quiescent"}, 3);
  EXPECT_EQ(verdict(log).at("atomic"), "unchanged");
  EXPECT_EQ(verdict(log).at("quiescent"), "unknown") << "nothing guards the log";

  // Forks that leave moments between them in which a sanitized program is done, too.
  const std::string forking = guest.run(
      "for i in 1 2 3; do (while :; do (:); usleep 50000; done) >/dev/null 2>&1 </dev/null & "
      "echo -n \"$! \"; done");
  for (int i = 0; i < 5; ++i) {
    const json between = vitrine_json({"ps", guest.name(), "--quiescent"});
    EXPECT_EQ(verdict(between).at("quiescent"), "yes");
  }
  guest.run("kill " + forking);

  guest.run("for i in 1 2 3; do (while :; do (:); done) & done >/dev/null 2>&1 </dev/null");
  const json counted =
      vitrine_json({"consistency", guest.name(), "--seconds", "18", "--per-second", "100"});
  const json& modes = counted.at("modes");
  ASSERT_EQ(modes.size(), 6U);
  for (const json& mode : modes) {
    ASSERT_FALSE(mode.contains("error")) << mode;
    EXPECT_GT(mode.at("observations"), 2) << mode;
    EXPECT_GE(mode.at("reached").get<double>() + 1, 0.9 * mode.at("observations").get<double>())
        << mode;
    EXPECT_GT(mode.at("tasks"), 40) << mode;
    EXPECT_EQ(entry_of(mode.at("kinds"), "kind", "zombie").at("share"), 1.0) << mode;
    const bool stops =
        mode.at("mode") == "freeze" || mode.at("mode") == "vmm" || mode.at("mode") == "fork";
    EXPECT_EQ(mode.at("stopped_ns") > 0, stops) << mode;
  }
  // What holds whenever nobody writes holds in each that is called quiescent.
  EXPECT_EQ(entry_of(modes, "mode", "quiescent").at("extrinsic").at("observations"), 0) << modes;
  // Pausing removes no state of the guest itself.
  EXPECT_EQ(entry_of(modes, "mode", "freeze").at("intrinsic").at("share"), 1.0) << modes;
}

INSTANTIATE_TEST_SUITE_P(Debian, ConsistencyTest, testing::Values("6.1", "6.12", "7"), linux_name);

}  // namespace
}  // namespace vitrine::live
