#include "vitrine/survey/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace vitrine::survey {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-environment-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~EnvironmentTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  host::ProcRoot proc() const { return {folder_.string()}; }

  fs::path folder_;
};

TEST_F(EnvironmentTest, TellsTheHost) {
  write("cpuinfo", "processor\t: 0\nmodel name\t: Some Processor @ 2.00GHz\nflags\t\t: fpu\n");
  const Facts facts = environment_of({}, proc());
  EXPECT_EQ(facts.at("processor_model"), "Some Processor @ 2.00GHz");
  EXPECT_GT(std::stoi(facts.at("processors")), 0);
  EXPECT_GT(std::stoll(facts.at("host_memory_bytes")), 1 << 20);
  EXPECT_EQ(facts.at("accelerator"), "tcg") << "QEMU's default";
  EXPECT_EQ(facts.count("qemu_version"), 0U) << "there is no monitor to ask";
}

TEST_F(EnvironmentTest, ReadsTheLoad) {
  write("loadavg", "1.25 0.50 0.25 1/200 4711\n");
  write("stat", "cpu  100 0 50 800 10 0 0 40 7 0\ncpu0 1 2 3\n");
  const auto load = host_load(proc());
  ASSERT_TRUE(load);
  EXPECT_EQ(load->average, 1.25);
  EXPECT_EQ(load->ticks, 1000U);
  EXPECT_EQ(load->stolen, 40U);
}

TEST_F(EnvironmentTest, DoesNotGuessALoad) {
  EXPECT_FALSE(host_load(proc()));
  write("loadavg", "1.25\n");
  write("stat", "cpu 1 2\n");
  EXPECT_FALSE(host_load(proc()));
}

TEST(Disturbances, AreToldBeforehand) {
  EXPECT_THAT(disturbances({.average = 0.9}, 2), IsEmpty());
  EXPECT_THAT(disturbances({.average = 3.1}, 2), ElementsAre(HasSubstr("3.1 on 2")));
}

TEST(Disturbances, AreToldByTimeThatWasStolen) {
  const HostLoad before{.ticks = 1000, .stolen = 10};
  EXPECT_EQ(stolen_share(before, {.ticks = 2000, .stolen = 110}), 0.1);
  EXPECT_THAT(disturbances(before, {.ticks = 2000, .stolen = 110}, {}),
              ElementsAre(HasSubstr("10%")));
  EXPECT_THAT(disturbances(before, {.ticks = 2000, .stolen = 12}, {}), IsEmpty());
  EXPECT_EQ(stolen_share(before, before), 0);
}

TEST(Disturbances, AreToldByRunsThatDiffer) {
  const auto cell_of = [](std::vector<double> rates) {
    Measured cell;
    for (const double rate : rates) cell.runs.emplace_back().figures["per_second"] = rate;
    return cell;
  };
  Study study;
  study.cells = {cell_of({100, 101, 99}), cell_of({100, 140, 90}), cell_of({1, 9})};
  EXPECT_THAT(disturbances({}, {}, study), ElementsAre(HasSubstr("of 2 ways of looking, 1 ")));
  study.cells.pop_back();
  for (int i = 0; i < 3; ++i) study.cells.push_back(cell_of({5, 5, 5}));
  EXPECT_THAT(disturbances({}, {}, study), IsEmpty());
}

}  // namespace
}  // namespace vitrine::survey
