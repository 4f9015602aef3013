#include "vitrine/survey/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

namespace vitrine::survey {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Makes runs of which everything is known: what a cell's run of that number gives.
class FakeMeasurer : public Measurer {
 public:
  using Give = std::function<base::Result<Run>(const std::string& technique, std::size_t number)>;
  FakeMeasurer(const StudyFile& file, Give give) : file_(file), give_(std::move(give)) {}

  base::Result<Run> measure(const Cell& cell) override {
    order.push_back(cell.technique);
    for (const Measured& each : file_.study().cells)
      if (each.cell == cell) return give_(cell.technique, each.runs.size());
    return base::fail(base::Code::invalid, "no such cell");
  }

  std::vector<std::string> order;

 private:
  const StudyFile& file_;
  Give give_;
};

Run run_of(double per_second, double took_seconds) {
  Run run;
  run.figures = {{"per_second", per_second}, {"took_ns", took_seconds * 1e9}};
  return run;
}

bool always(const Progress&) { return true; }

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-runner-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~RunnerTest() override { fs::remove_all(folder_); }

  static Study planned(const std::vector<std::string>& techniques) {
    Study study;
    study.guests.emplace_back().name = "demo";
    for (const std::string& technique : techniques)
      study.cells.push_back({{"demo", "as found", "processes", technique}, {}});
    return study;
  }
  StudyFile open(const Study& study, const std::string& name = "survey.sqlite") const {
    auto file = StudyFile::create_or_resume((folder_ / name).string(), study);
    EXPECT_TRUE(file) << base::to_string(file.error());
    return std::move(*file);
  }
  static std::vector<std::size_t> counts(const Study& study) {
    std::vector<std::size_t> all;
    for (const Measured& each : study.cells) all.push_back(each.runs.size());
    return all;
  }

  fs::path folder_;
  Limits limits_{.fewest = 3, .most = 5, .tight = 0.05, .time = seconds(100), .cell_share = 0.5};
};

TEST_F(RunnerTest, TakesTurnsUntilIntervalsAreTight) {
  StudyFile file = open(planned({"steady", "noisy"}));
  FakeMeasurer fake(file, [](const std::string& technique, std::size_t number) {
    return run_of(technique == "steady" ? 100 : 100 + 50 * static_cast<double>(number % 2), 1);
  });
  const auto ended = run_survey(file, fake, limits_, always);
  ASSERT_TRUE(ended);
  EXPECT_EQ(*ended, Ended::complete);
  EXPECT_THAT(fake.order, ElementsAre("steady", "noisy", "steady", "noisy", "steady", "noisy",
                                      "noisy", "noisy"));
}

TEST_F(RunnerTest, GivesASlowWayABoundedShare) {
  StudyFile file = open(planned({"slow", "fast"}));
  FakeMeasurer fake(file, [](const std::string& technique, std::size_t number) {
    return run_of(100 + 50 * static_cast<double>(number % 2), technique == "slow" ? 20 : 0.1);
  });
  ASSERT_TRUE(run_survey(file, fake, limits_, always));
  EXPECT_THAT(counts(file.study()), ElementsAre(2U, 5U));
}

TEST_F(RunnerTest, RunsEveryCellOnceHoweverLongItTakes) {
  StudyFile file = open(planned({"slow", "slower", "slowest"}));
  FakeMeasurer fake(file, [](const std::string&, std::size_t) { return run_of(1, 90); });
  ASSERT_TRUE(run_survey(file, fake, limits_, always));
  EXPECT_THAT(counts(file.study()), ElementsAre(1U, 1U, 1U));
}

TEST_F(RunnerTest, LeavesWhatWasRefusedAndWhatFailsTwice) {
  Study study = planned({"refused", "fails", "recovers"});
  study.cells[0].runs.emplace_back().state = State::refused;
  StudyFile file = open(study);
  FakeMeasurer fake(file, [](const std::string& technique, std::size_t number) {
    survey::Run run = run_of(100, 1);
    if (technique == "fails" || number == 0) run.state = State::failed;
    if (run.state == State::failed) run.figures.erase("per_second");
    return run;
  });
  ASSERT_TRUE(run_survey(file, fake, limits_, always));
  EXPECT_THAT(counts(file.study()), ElementsAre(1U, 2U, 4U));
}

TEST_F(RunnerTest, LeavesWhatWasNotRunMissing) {
  StudyFile file = open(planned({"first", "second", "third"}));
  FakeMeasurer fake(file, [](const std::string&, std::size_t) { return run_of(100, 1); });
  const auto ended = run_survey(file, fake, limits_,
                                [](const Progress& progress) { return progress.missing > 1; });
  ASSERT_TRUE(ended);
  EXPECT_EQ(*ended, Ended::interrupted);
  const auto kept = load_study((folder_ / "survey.sqlite").string());
  ASSERT_TRUE(kept);
  EXPECT_EQ(missing(*kept), 1U);
  EXPECT_THAT(kept->cells[2].runs, IsEmpty());
}

TEST_F(RunnerTest, EndsWithTheVm) {
  StudyFile file = open(planned({"first", "second"}));
  FakeMeasurer fake(file,
                    [](const std::string& technique, std::size_t) -> base::Result<survey::Run> {
                      if (technique == "second")
                        return base::fail(base::Code::gone, "the VM ended");
                      return run_of(100, 1);
                    });
  const auto ended = run_survey(file, fake, limits_, always);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, base::Code::gone);
  EXPECT_THAT(counts(file.study()), ElementsAre(1U, 0U));
}

TEST_F(RunnerTest, TellsHowMuchRemains) {
  StudyFile file = open(planned({"first", "second"}));
  FakeMeasurer fake(file, [](const std::string&, std::size_t) { return run_of(100, 2); });
  std::vector<std::chrono::nanoseconds> remaining;
  ASSERT_TRUE(run_survey(file, fake, limits_, [&](const Progress& progress) {
    EXPECT_EQ(progress.used, seconds(2) * remaining.size());
    remaining.push_back(progress.remaining);
    return true;
  }));
  ASSERT_EQ(remaining.size(), 6U);
  EXPECT_EQ(remaining[1], seconds(2 * 4 + 2 * 5));
  EXPECT_TRUE(std::ranges::is_sorted(remaining.begin() + 1, remaining.end(), std::greater<>()));
}

// What a survey ends with, should it be interrupted before each of its runs or never.
TEST_F(RunnerTest, GoesOnAsIfItHadNotBeenKilled) {
  Study study = planned({"steady", "noisy", "slow", "fails"});
  const auto give = [](const std::string& technique, std::size_t number) {
    const auto at = static_cast<double>(number);
    survey::Run run =
        run_of(technique == "steady" ? 100 : 100 + 37 * at, technique == "slow" ? 17 : 1);
    run.started_unix_ns = static_cast<std::int64_t>(number);
    run.latencies = {{1000, number + 1}};
    if (technique == "fails") run.state = State::failed;
    return run;
  };
  StudyFile whole = open(study);
  FakeMeasurer fake(whole, give);
  ASSERT_TRUE(run_survey(whole, fake, limits_, always));
  fs::create_directory(folder_ / "killed");
  std::vector<std::string> order;
  for (bool complete = false; !complete;) {
    StudyFile file = open(study, "killed/survey.sqlite");
    FakeMeasurer again(file, give);
    int runs = 0;
    const auto ended =
        run_survey(file, again, limits_, [&](const Progress&) { return runs++ == 0; });
    ASSERT_TRUE(ended);
    complete = *ended == Ended::complete;
    order.insert(order.end(), again.order.begin(), again.order.end());
    ASSERT_LE(order.size(), fake.order.size());
  }
  EXPECT_EQ(order, fake.order);
  const auto killed = load_study((folder_ / "killed/survey.sqlite").string());
  ASSERT_TRUE(killed);
  for (std::size_t i = 0; i < study.cells.size(); ++i) {
    ASSERT_EQ(killed->cells[i].runs.size(), whole.study().cells[i].runs.size());
    for (std::size_t j = 0; j < killed->cells[i].runs.size(); ++j) {
      const survey::Run& one = killed->cells[i].runs[j];
      const survey::Run& other = whole.study().cells[i].runs[j];
      EXPECT_EQ(one.figures, other.figures);
      EXPECT_EQ(one.started_unix_ns, other.started_unix_ns);
      EXPECT_EQ(one.state, other.state);
      EXPECT_EQ(one.latencies, other.latencies);
    }
  }
}

}  // namespace
}  // namespace vitrine::survey
