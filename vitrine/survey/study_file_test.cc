#include "vitrine/survey/study_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>

namespace vitrine::survey {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Run measured(double per_second) {
  Run run;
  run.started_unix_ns = 1'700'000'000'123'456'789;
  run.figures = {{"per_second", per_second}, {"latency_p50_ns", 1e9 / per_second}};
  run.latencies = {{12'799, 90}, {18'446'744'073, 10}};
  return run;
}

Study planned() {
  Study study;
  study.facts = {{"plan", "VM demo, quick"}, {"host_kernel", "6.1.0"}};
  study.guests = {{"demo", "6.1.0-50-cloud-amd64", 1ULL << 40, 2, 56}};
  study.cells = {{{"demo", "as found", "processes", "map"}, {}},
                 {{"demo", "as found", "processes", "map", "freeze", "atomic", 0.5}, {}},
                 {{"demo", "as found", "processes", "adopt"}, {}}};
  Run refused;
  refused.state = State::refused;
  refused.reason = "it would stay; 'use' \"map\"";
  study.cells.back().runs.push_back(refused);
  return study;
}

void expect_equal(const Study& one, const Study& other) {
  EXPECT_EQ(one.facts, other.facts);
  ASSERT_EQ(one.guests.size(), other.guests.size());
  for (std::size_t i = 0; i < one.guests.size(); ++i) {
    EXPECT_EQ(one.guests[i].name, other.guests[i].name);
    EXPECT_EQ(one.guests[i].release, other.guests[i].release);
    EXPECT_EQ(one.guests[i].memory_bytes, other.guests[i].memory_bytes);
    EXPECT_EQ(one.guests[i].processors, other.guests[i].processors);
    EXPECT_EQ(one.guests[i].tasks, other.guests[i].tasks);
  }
  ASSERT_EQ(one.cells.size(), other.cells.size());
  for (std::size_t i = 0; i < one.cells.size(); ++i) {
    EXPECT_TRUE(one.cells[i].cell == other.cells[i].cell);
    ASSERT_EQ(one.cells[i].runs.size(), other.cells[i].runs.size());
    for (std::size_t j = 0; j < one.cells[i].runs.size(); ++j) {
      const Run& run = one.cells[i].runs[j];
      const Run& same = other.cells[i].runs[j];
      EXPECT_EQ(run.started_unix_ns, same.started_unix_ns);
      EXPECT_EQ(run.state, same.state);
      EXPECT_EQ(run.reason, same.reason);
      EXPECT_EQ(run.figures, same.figures);
      EXPECT_EQ(run.latencies, same.latencies);
    }
  }
}

class StudyFileTest : public ::testing::Test {
 protected:
  StudyFileTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-study-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = (folder_ / "survey.sqlite").string();
  }
  ~StudyFileTest() override { fs::remove_all(folder_); }

  // A file of one run, closed.
  void make() const {
    auto file = StudyFile::create_or_resume(path_, planned());
    ASSERT_TRUE(file) << base::to_string(file.error());
    ASSERT_TRUE(file->append(planned().cells[0].cell, measured(1000)));
  }
  // What somebody else does to the file.
  void forge(const std::string& sql) const {
    auto database = Database::open(path_, true);
    ASSERT_TRUE(database);
    const auto done = database->run(sql);
    ASSERT_TRUE(done) << base::to_string(done.error());
  }
  void expect_refused(base::Code code, const std::string& why) const {
    const auto study = load_study(path_);
    ASSERT_FALSE(study);
    EXPECT_EQ(study.error().code, code) << study.error().message;
    EXPECT_THAT(study.error().message, HasSubstr(why));
    EXPECT_THAT(study.error().message, HasSubstr("survey.sqlite"));
    const auto resumed = StudyFile::create_or_resume(path_, planned());
    ASSERT_FALSE(resumed);
    EXPECT_EQ(resumed.error().code, code) << resumed.error().message;
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(StudyFileTest, KeepsAllOfAStudy) {
  Study expected = planned();
  {
    auto file = StudyFile::create_or_resume(path_, expected);
    ASSERT_TRUE(file) << base::to_string(file.error());
    expected.cells[1].runs = {measured(3), measured(4)};
    ASSERT_TRUE(file->append(expected.cells[1].cell, measured(3)));
    ASSERT_TRUE(file->append(expected.cells[1].cell, measured(4)));
    ASSERT_TRUE(file->set_fact("ended", "today"));
    ASSERT_TRUE(file->set_fact("host_kernel", "6.2.0"));
    expected.facts["ended"] = "today";
    expected.facts["host_kernel"] = "6.2.0";
    expect_equal(file->study(), expected);
  }
  const auto loaded = load_study(path_);
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  expect_equal(*loaded, expected);
}

TEST_F(StudyFileTest, ContinuesWhatIsThere) {
  make();
  Study now = planned();
  now.facts["host_kernel"] = "another since";
  now.cells.pop_back();
  auto file = StudyFile::create_or_resume(path_, now);
  ASSERT_TRUE(file) << base::to_string(file.error());
  Study expected = planned();
  expected.cells[0].runs = {measured(1000)};
  expect_equal(file->study(), expected);
}

TEST_F(StudyFileTest, RefusesAnotherPlan) {
  make();
  Study other = planned();
  other.facts["plan"] = "VM web, quick";
  const auto file = StudyFile::create_or_resume(path_, other);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, base::Code::invalid);
  EXPECT_THAT(file.error().message, HasSubstr("VM demo, quick"));
  EXPECT_THAT(file.error().message, HasSubstr("VM web, quick"));
  EXPECT_EQ(load_study(path_)->cells[0].runs.size(), 1U);
}

TEST_F(StudyFileTest, RefusesASecondWriterButNotAReader) {
  auto file = StudyFile::create_or_resume(path_, planned());
  ASSERT_TRUE(file);
  const auto second = StudyFile::create_or_resume(path_, planned());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::Code::timeout);
  EXPECT_TRUE(load_study(path_));
  EXPECT_TRUE(file->append(planned().cells[0].cell, measured(1)));
}

TEST_F(StudyFileTest, RefusesARunOfNoCellAndFiguresThatAreNoNumbers) {
  auto file = StudyFile::create_or_resume(path_, planned());
  ASSERT_TRUE(file);
  Cell none = planned().cells[0].cell;
  none.frequency_hz = 10;
  EXPECT_EQ(file->append(none, measured(1)).error().code, base::Code::invalid);
  const double no_number = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(file->append(planned().cells[0].cell, measured(no_number)).error().code,
            base::Code::invalid);
  expect_equal(*load_study(path_), planned());
}

TEST_F(StudyFileTest, KeepsTheRunsBeforeAKill) {
  const pid_t child = fork();
  if (child == 0) {
    auto file = StudyFile::create_or_resume(path_, planned());
    (void)file->append(planned().cells[0].cell, measured(1000));
    // A run of which a part is written when the end comes.
    auto database = Database::open(path_, false);
    (void)database->run(
        "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;"
        "INSERT INTO runs VALUES (99, 1, 0, 'measured', zeroblob(0) || '')");
    for (int i = 0; i < 5000; ++i)
      (void)database->run("INSERT INTO figures VALUES (99, 'figure " + std::to_string(i) + "', 1)");
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(fs::exists(path_ + "-journal")) << "the kill came too early or too late";
  Study expected = planned();
  expected.cells[0].runs = {measured(1000)};
  const auto loaded = load_study(path_);
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  expect_equal(*loaded, expected);
}

TEST_F(StudyFileTest, TellsWhatIsAbsent) {
  EXPECT_EQ(load_study(path_).error().code, base::Code::absent);
  EXPECT_EQ(load_study(folder_.string()).error().code, base::Code::invalid);
  EXPECT_EQ(StudyFile::create_or_resume((folder_ / "none/survey.sqlite").string(), planned())
                .error()
                .code,
            base::Code::absent);
}

TEST_F(StudyFileTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path_) << std::string(5000, 'x');
  expect_refused(base::Code::inconsistent, "not a database");
}

TEST_F(StudyFileTest, RefusesADatabaseOfSomethingElse) {
  forge("CREATE TABLE facts (name TEXT)");
  expect_refused(base::Code::inconsistent, "no survey");
}

TEST_F(StudyFileTest, RefusesANewerForm) {
  make();
  forge("PRAGMA user_version = 2");
  expect_refused(base::Code::unsupported, "number 2");
}

TEST_F(StudyFileTest, RefusesOtherTables) {
  make();
  forge("CREATE VIEW more AS SELECT * FROM facts");
  expect_refused(base::Code::inconsistent, "tables");
}

TEST_F(StudyFileTest, RefusesForgedRows) {
  make();
  forge("PRAGMA foreign_keys = OFF; UPDATE runs SET cell = 77 WHERE state = 'measured'");
  expect_refused(base::Code::inconsistent, "belongs to nothing");
}

TEST_F(StudyFileTest, RefusesForgedValues) {
  make();
  forge("PRAGMA ignore_check_constraints = ON; UPDATE runs SET state = 'perhaps'");
  expect_refused(base::Code::inconsistent, "damaged");
}

TEST_F(StudyFileTest, RefusesFiguresThatAreNoNumbers) {
  make();
  forge("UPDATE figures SET value = 9e999");
  expect_refused(base::Code::inconsistent, "no number");
}

TEST_F(StudyFileTest, RefusesATruncatedFile) {
  make();
  const auto size = fs::file_size(path_);
  for (const auto kept : {size / 2, size - 4096, std::uintmax_t{4096}, std::uintmax_t{60}}) {
    fs::resize_file(path_, kept);
    const auto study = load_study(path_);
    ASSERT_FALSE(study) << "of " << kept << " bytes";
    EXPECT_EQ(study.error().code, base::Code::inconsistent) << study.error().message;
  }
}

// Whatever byte is damaged, it is told or makes no difference to what may be in a study.
TEST_F(StudyFileTest, SurvivesDamage) {
  make();
  std::string whole;
  {
    std::ifstream stream(path_, std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(stream), {});
  }
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += 97) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    std::ofstream(path_, std::ios::binary) << damaged;
    refused += load_study(path_) ? 0U : 1U;
  }
  EXPECT_GT(refused, 10U);
}

}  // namespace
}  // namespace vitrine::survey
