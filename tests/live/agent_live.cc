// A guest with a guest agent: its memory as it shows it itself, and its own list of processes as a
// second opinion. Whatever happens to us, nothing stays open in the guest; whatever the agent does,
// we end in time.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "tests/live/guest_agent.h"
#include "tests/live/guest_test.h"
#include "tests/live/local_socket.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::chrono::seconds kInTime{20};

class Agent : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "agent", .sleepers = 80, .agent = true}); }

  void SetUp() override {
    GuestTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    start_agent(guest());
  }

  static void signal_agent(const std::string& name) {
    guest().run("kill -" + name + " $(cat /tmp/agent.pid)");
  }
  // How many files of the guest's kernel the agent keeps open for us.
  static int open_files() {
    return std::stoi(
        guest().run("ls -l /proc/$(cat /tmp/agent.pid)/fd 2>/dev/null | grep -c -e kcore -e "
                    "vmcoreinfo || true"));
  }
  static bool nothing_stays_open() {
    for (int i = 0; i < 200; ++i) {
      if (open_files() == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  // The error of a run that has to end in time.
  static json error_of(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const Finished finished = vitrine(arguments, kInTime);
    EXPECT_EQ(finished.status, 1) << finished.output << finished.errors;
    return json::parse(finished.errors).at("error");
  }
  static const std::vector<std::string>& through_agent() {
    static const std::vector<std::string> command{"ps", guest().name(), "--technique", "agent"};
    return command;
  }
};

// How the rows differ from what the guest says; but the agent, which reads for us, can't be seen at
// rest.
std::vector<std::string> differences_at_rest(Guest& guest, Tasks which) {
  return compare_ps(guest, {"--technique", "agent"}, which,
                    {"(\"qemu-ga\"): state", "(\"qemu-ga\"): rss_bytes"});
}

TEST_F(Agent, ShowsTheSameRowsAsTheMemoryOfTheVmm) {
  EXPECT_THAT(differences_at_rest(guest(), Tasks::processes), testing::IsEmpty());
  EXPECT_THAT(differences_at_rest(guest(), Tasks::threads), testing::IsEmpty());
  TaskList ours;
  TaskList others;
  for (int attempt = 0; attempt < 3 && (ours.empty() || ours != others); ++attempt) {
    ours = stable_rows(guest().name(), {"--technique", "agent"});
    others = stable_rows(guest().name(), {"--technique", "process-vm"});
  }
  EXPECT_EQ(ours, others);
  EXPECT_EQ(open_files(), 0);
}

TEST_F(Agent, IsUsableAndSaysWhatItDoes) {
  const auto list = vitrine_json({"techniques", guest().name()}).at("techniques");
  const auto found = std::find_if(list.begin(), list.end(),
                                  [](const json& row) { return row.at("id") == "agent"; });
  ASSERT_NE(found, list.end());
  EXPECT_EQ(found->at("usable"), true) << *found;
  EXPECT_EQ(found->at("effect"), "intrusive");
  EXPECT_EQ(open_files(), 0);
}

TEST_F(Agent, LeavesNothingOpenWhenItIsKilled) {
  const std::vector<std::string> command{program(), "rate",      guest().name(), "--technique",
                                         "agent",   "--seconds", "100",          "--no-cache"};
  for (const int milliseconds : {300, 700, 1100, 1500, 3000, 6000}) {
    Subprocess program(command, guest().folder() / "rate.out", guest().folder() / "rate.err");
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    program.signal(SIGKILL);
    EXPECT_TRUE(program.wait(std::chrono::seconds(5)));
    EXPECT_TRUE(nothing_stays_open()) << "killed after " << milliseconds << " ms";
  }
  Subprocess program(command, guest().folder() / "rate.out", guest().folder() / "rate.err");
  for (int i = 0; i < 400 && open_files() == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_GT(open_files(), 0) << read_file(guest().folder() / "rate.err");
  program.signal(SIGKILL);
  EXPECT_TRUE(nothing_stays_open());
}

TEST_F(Agent, ThatHangsIsGivenUpInTime) {
  signal_agent("STOP");
  const json error = error_of(through_agent());
  EXPECT_EQ(error.at("code"), "timeout") << error;
  EXPECT_THAT(error.at("message"), HasSubstr("hangs, is stopped"));
  EXPECT_EQ(error_of({"ps", guest().name(), "--second-opinion"}).at("code"), "timeout");
  signal_agent("CONT");
  EXPECT_EQ(vitrine(through_agent()).status, 0) << "late answers to those before are skipped";
  EXPECT_EQ(open_files(), 0);
}

TEST_F(Agent, ThatForbidsFilesSaysSo) {
  start_agent(guest(), "-b guest-file-read");
  const json error = error_of(through_agent());
  EXPECT_EQ(error.at("code"), "unsupported") << error;
  EXPECT_THAT(error.at("message"), HasSubstr("forbidden to serve guest-file-read"));
  EXPECT_THAT(error.at("remedy"), HasSubstr("block-rpcs"));
}

TEST_F(Agent, ThatForbidsCommandsGivesNoSecondOpinion) {
  start_agent(guest(), "-b guest-exec");
  const json error = error_of({"ps", guest().name(), "--second-opinion"});
  EXPECT_THAT(error.at("message"), HasSubstr("forbidden to serve guest-exec"));
}

TEST_F(Agent, ThatDoesNotRunIsMissed) {
  stop_agent(guest());
  const json error = error_of(through_agent());
  EXPECT_EQ(error.at("code"), "absent") << error;
  EXPECT_THAT(error.at("message"), HasSubstr("no guest agent runs in the guest"));
}

TEST_F(Agent, ThatSomebodyElseUsesIsNamedBusy) {
  LocalSocket other(guest().folder() / "agent", std::chrono::seconds(5));
  const json error = error_of(through_agent());
  EXPECT_EQ(error.at("code"), "timeout") << error;
  EXPECT_THAT(error.at("message"), HasSubstr("another client"));
}

TEST_F(Agent, DoesNotReadAGuestThatIsPausedForIt) {
  auto arguments = through_agent();
  arguments.emplace_back("--pause=vmm");
  EXPECT_EQ(vitrine(arguments, kInTime).status, 2);
}

// Rows that are not seen by both, by process id.
std::map<int, std::string> differences_seen(Guest& guest, const std::vector<std::string>& more) {
  std::vector<std::string> command{"ps", guest.name(), "--second-opinion"};
  command.insert(command.end(), more.begin(), more.end());
  std::map<int, std::string> found;
  const json observed = vitrine_json(command);
  for (const json& row : observed.at("rows"))
    if (row.at("seen_by") != "both") found[row.at("pid")] = row.at("seen_by").dump();
  EXPECT_GT(observed.at("rows").size(), 100u);
  return found;
}

TEST_F(Agent, TheSecondOpinionMarksWhatTheGuestHides) {
  EXPECT_THAT(differences_seen(guest(), {}), testing::IsEmpty());
  EXPECT_THAT(differences_seen(guest(), {"--threads"}), testing::IsEmpty());
  const int hidden = std::stoi(guest().run(
      "mkdir -p /tmp/empty; for pid in $(pidof guest_tool); do [ $pid != 1 ] && break; done; "
      "mount --bind /tmp/empty /proc/$pid; echo $pid"));
  const auto found = differences_seen(guest(), {});
  const auto watched = vitrine({"ps", guest().name(), "--second-opinion"});
  guest().run("umount /proc/" + std::to_string(hidden));
  EXPECT_THAT(found, testing::ElementsAre(testing::Pair(hidden, "\"vitrine\"")));
  EXPECT_THAT(watched.errors, HasSubstr("1 of these do not show in the guest's own list"));
  EXPECT_THAT(differences_seen(guest(), {}), testing::IsEmpty());
}

TEST_F(Agent, TheSecondOpinionOfTheGuestOnItselfIsNone) {
  auto arguments = through_agent();
  arguments.emplace_back("--second-opinion");
  EXPECT_EQ(vitrine(arguments, kInTime).status, 2);
}

}  // namespace
}  // namespace vitrine::live
