// A survey of a real guest in its smallest form, killed half-way and continued.
#include <csignal>
#include <set>
#include <sstream>
#include <thread>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "vitrine/survey/runner.h"
#include "vitrine/survey/study_file.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using survey::Measured;
using survey::State;
using survey::Study;

constexpr auto kLimit = std::chrono::seconds(120);

std::vector<std::string> smallest(const Guest& guest, const std::filesystem::path& folder,
                                  const std::string& seconds = "0.05") {
  return {"survey", "--vm",     guest.name(), "--quick", "--seconds",
          seconds,  "--rounds", "1",          "-o",      folder.string()};
}

std::size_t measured_cells(const Study& study) {
  std::size_t count = 0;
  for (const Measured& each : study.cells)
    if (!each.runs.empty() && each.runs.back().state == State::measured) ++count;
  return count;
}

// Starts a survey, sends it a signal once it has some runs, and returns how it ended.
int interrupt(const Guest& guest, const std::filesystem::path& folder, int signal) {
  const TemporaryFolder out;
  Subprocess survey(vitrine_command(smallest(guest, folder)), out.path() / "output",
                    out.path() / "errors");
  for (int tries = 0; tries < 600; ++tries) {
    const auto study = survey::load_study(folder / "survey.sqlite");
    if (study && measured_cells(*study) >= 3) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(survey.running()) << read_file(out.path() / "errors");
  survey.signal(signal);
  EXPECT_TRUE(survey.wait(std::chrono::seconds(30)));
  return survey.status();
}

// The figures of the one run of the processes, as often as possible, without a demand.
const survey::Figures& figures(const Study& study, const std::string& technique,
                               const std::string& pause = "none") {
  for (const auto& [cell, runs] : study.cells)
    if (cell.technique == technique && cell.pause == pause && cell.demand == "none" &&
        cell.frequency_hz == 0)
      return runs.at(0).figures;
  throw std::runtime_error("no cell of " + technique);
}

// What is known of the techniques beforehand.
void expect_right(const Study& study) {
  const auto& mapped = figures(study, "map");
  const auto& read = figures(study, "process-vm");
  // A worker of the guest's kernel may come or go.
  EXPECT_NEAR(mapped.at("rows"), read.at("rows"), 2);
  EXPECT_GT(mapped.at("rows"), 40);
  EXPECT_EQ(mapped.at("stopped_ns"), 0);
  EXPECT_EQ(mapped.at("one_instant"), 0) << "nobody asked";
  // Frozen, shared RAM could still be written by a process that may not be looked at.
  EXPECT_GT(figures(study, "map", "freeze").at("stopped_share"), 0);
  for (const auto& [technique, pause] :
       {std::pair{"process-vm", "vmm"}, {"dump", "none"}, {"gdb", "none"}}) {
    const auto& stopping = figures(study, technique, pause);
    EXPECT_GT(stopping.at("stopped_share"), 0) << technique;
    EXPECT_LE(stopping.at("stopped_share"), 1.05) << technique;
    EXPECT_EQ(stopping.at("one_instant"), stopping.at("views")) << technique;
  }
  EXPECT_GT(read.at("audited"), 0);
  EXPECT_GT(read.at("peak_memory_bytes"), 1 << 20);
  EXPECT_LT(read.at("peak_memory_bytes"), 64 << 20);
  EXPECT_GT(read.at("cpu_share"), 0.05);
}

// What is advised by those figures works on the VM that they are of, and a survey equals itself.
void expect_advice(const Guest& guest, const std::filesystem::path& folder) {
  const json advised =
      vitrine_json({"advise", guest.name(), "--survey", folder, "--passive", "--frequency", "10"});
  const json& best = advised.at("advice").at(0);
  EXPECT_EQ(best.at("technique"), "map");
  std::istringstream words(best.at("command").get<std::string>());
  std::vector<std::string> command;
  for (std::string word; words >> word && word != "--watch";) command.push_back(word);
  ASSERT_GT(command.size(), 2U);
  EXPECT_EQ(command[0], "vitrine");
  EXPECT_EQ(vitrine({command.begin() + 1, command.end()}).status, 0) << best;
  const Finished none = vitrine({"advise", "--survey", folder, "--max-latency", "1ns"});
  EXPECT_EQ(none.status, 1) << none.output;
  EXPECT_THAT(none.errors, testing::HasSubstr("max-latency"));
  const json compared = vitrine_json({"compare", folder, folder});
  for (const json& change : compared.at("changes"))
    EXPECT_TRUE(change.at("difference") == "none" || change.at("difference") == "unknown")
        << change;
}

class SurveyTest : public GuestTest {
 protected:
  static void SetUpTestSuite() {
    boot({.name = "surveyed",
          .memory = "256M",
          .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=256M", "-machine",
                        "memory-backend=ram"}});
  }
  void TearDown() override {
    if (HasFatalFailure() || IsSkipped()) return GuestTest::TearDown();
    EXPECT_EQ(QmpClient(guest().qmp()).execute("query-status").at("status"), "running");
    EXPECT_EQ(guest().run("echo $((6 * 7))"), "42\n");
    GuestTest::TearDown();
  }
};

TEST_F(SurveyTest, IsWholeThoughItWasKilled) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "survey.sqlite";
  EXPECT_EQ(interrupt(guest(), folder.path(), SIGKILL), 128 + SIGKILL);
  const auto killed = survey::load_study(path);
  ASSERT_TRUE(killed) << base::to_string(killed.error());
  EXPECT_GT(survey::missing(*killed), 0U);

  const Finished refused = vitrine(smallest(guest(), folder.path(), "0.06"));
  EXPECT_EQ(refused.status, 2) << refused.errors;
  EXPECT_THAT(refused.errors, testing::HasSubstr("another survey"));

  const Finished rest = vitrine(smallest(guest(), folder.path()), kLimit);
  EXPECT_EQ(rest.status, 0) << rest.errors << rest.output;
  EXPECT_THAT(rest.output, testing::HasSubstr("Not measured:"));
  const auto study = survey::load_study(path);
  ASSERT_TRUE(study) << base::to_string(study.error());
  ASSERT_EQ(study->cells.size(), killed->cells.size());
  std::set<std::string> tried;
  for (std::size_t i = 0; i < study->cells.size(); ++i) {
    const Measured& each = study->cells[i];
    SCOPED_TRACE(testing::Message() << each.cell.technique << " " << each.cell.pause << " "
                                    << each.cell.demand << " " << each.cell.frequency_hz);
    ASSERT_EQ(each.runs.size(), 1U);
    const survey::Run& run = each.runs[0];
    for (const survey::Run& kept : killed->cells[i].runs)
      EXPECT_EQ(run.started_unix_ns, kept.started_unix_ns);
    tried.insert(each.cell.technique);
    EXPECT_NE(run.state, State::failed) << run.reason;
    EXPECT_EQ(run.state == State::measured, run.reason.empty());
    EXPECT_EQ(run.state == State::measured, run.figures.contains("per_second"));
    EXPECT_EQ(run.state == State::measured, !run.latencies.empty());
  }
  const json techniques = vitrine_json({"techniques"});
  for (const json& technique : techniques.at("techniques"))
    EXPECT_TRUE(tried.contains(technique.at("id")));
  EXPECT_EQ(tried.size(), techniques.at("techniques").size());
  expect_right(*study);
  expect_advice(guest(), folder.path());
  const json exported = json::parse(read_file(folder.path() / "survey.json"));
  EXPECT_EQ(exported.at("cells").size(), study->cells.size());
  EXPECT_THAT(read_file(folder.path() / "survey.csv"), testing::HasSubstr("process-vm"));
  EXPECT_THAT(read_file(folder.path() / "report.html"), testing::HasSubstr("surveyed"));
}

TEST_F(SurveyTest, EndsWithItsRunAtCtrlC) {
  const TemporaryFolder folder;
  EXPECT_EQ(interrupt(guest(), folder.path(), SIGINT), 3);
  const auto study = survey::load_study(folder.path() / "survey.sqlite");
  ASSERT_TRUE(study) << base::to_string(study.error());
  EXPECT_GT(survey::missing(*study), 0U) << "it ended after the run that it was in";
  EXPECT_TRUE(study->facts.contains("ended"));
}

}  // namespace
}  // namespace vitrine::live
