#include "vitrine/survey/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace vitrine::survey {
namespace {

using techniques::Description;
using techniques::Effect;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

Description about(std::string_view id, Effect effect = Effect::passive) {
  Description description;
  description.id = id;
  description.effect = effect;
  return description;
}

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    qmp_.needs_running_vmm = true;
    dump_.one_instant = true;
  }

  void plan(std::vector<std::string> views = {"processes"}, Paces paces = Paces::all) {
    cells_ = plan_cells("demo", candidates_, views, paces);
  }
  // Of a technique: "view pause demand frequency", with "refused" where it is.
  std::vector<std::string> of(const std::string& technique) const {
    std::vector<std::string> all;
    for (const auto& [cell, runs] : cells_) {
      if (cell.technique != technique) continue;
      std::string text = cell.view + " " + cell.pause + " " + cell.demand + " " +
                         std::to_string(static_cast<int>(cell.frequency_hz));
      all.push_back(text + (runs.empty() ? "" : " refused"));
    }
    return all;
  }

  Description map_ = about("map");
  Description qmp_ = about("qmp", Effect::intrusive);
  Description dump_ = about("dump", Effect::intrusive);
  Description adopt_ = about("adopt", Effect::persistent);
  std::vector<Candidate> candidates_{{&map_, {}}, {&qmp_, {}}, {&dump_, {}}, {&adopt_, {}}};
  std::vector<Measured> cells_;
};

TEST_F(PlanTest, TriesPassiveOnesInEveryWay) {
  plan();
  EXPECT_THAT(of("map"), UnorderedElementsAre("processes none none 0", "processes freeze none 0",
                                              "processes vmm none 0", "processes none atomic 0",
                                              "processes none quiescent 0", "processes none none 1",
                                              "processes none none 10", "processes none none 100"));
}

TEST_F(PlanTest, LeavesOutPacesIfItIsTold) {
  plan({"processes"}, Paces::flat_out);
  EXPECT_THAT(of("map"), UnorderedElementsAre("processes none none 0", "processes freeze none 0",
                                              "processes vmm none 0", "processes none atomic 0",
                                              "processes none quiescent 0"));
}

TEST_F(PlanTest, PausesForWhatIsNotOfOneInstant) {
  plan();
  EXPECT_THAT(of("dump"), ElementsAre("processes none none 0"));
}

TEST_F(PlanTest, RefusesThePauseThatATechniqueCannotHave) {
  plan();
  EXPECT_THAT(of("qmp"),
              UnorderedElementsAre("processes none none 0", "processes freeze none 0 refused",
                                   "processes vmm none 0", "processes none none 1",
                                   "processes none none 10", "processes none none 100"));
}

TEST_F(PlanTest, RefusesWhatCannotBeUsedAndSaysWhy) {
  candidates_[0].usable = base::fail(base::Code::unsupported, "RAM is private", "use a memfd");
  plan();
  ASSERT_THAT(of("map"), ElementsAre("processes none none 0 refused"));
  EXPECT_EQ(cells_[0].runs[0].reason, "RAM is private; use a memfd");
  EXPECT_TRUE(cells_[0].runs[0].figures.empty());
}

TEST_F(PlanTest, NeverChangesAVmForGood) {
  plan();
  ASSERT_THAT(of("adopt"), ElementsAre("processes none none 0 refused"));
  const auto adopt = std::ranges::find_if(
      cells_, [](const Measured& each) { return each.cell.technique == "adopt"; });
  EXPECT_THAT(adopt->runs[0].reason, HasSubstr("--allow-persistent-change"));
}

TEST_F(PlanTest, TakesOtherViewsFlatOutOnly) {
  plan({"processes", "sockets"});
  EXPECT_THAT(of("dump"), ElementsAre("processes none none 0", "sockets none none 0"));
  std::set<Cell> distinct;
  for (const Measured& each : cells_) {
    EXPECT_EQ(each.cell.guest, "demo");
    EXPECT_TRUE(distinct.insert(each.cell).second);
    if (each.cell.view == "sockets") {
      EXPECT_EQ(each.cell.frequency_hz, 0);
      EXPECT_EQ(each.cell.demand, "none");
      EXPECT_FALSE(is_audited(each.cell));
    }
  }
}

TEST_F(PlanTest, LooksAFewTimesHoweverRarely) {
  Cell cell;
  EXPECT_EQ(run_time(cell, std::chrono::milliseconds(500)), std::chrono::milliseconds(500));
  cell.frequency_hz = 1;
  EXPECT_EQ(run_time(cell, std::chrono::milliseconds(500)), std::chrono::seconds(2));
  cell.frequency_hz = 100;
  EXPECT_EQ(run_time(cell, std::chrono::milliseconds(500)), std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace vitrine::survey
