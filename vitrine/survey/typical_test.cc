#include "vitrine/survey/typical.h"

#include <gtest/gtest.h>

namespace vitrine::survey {
namespace {

TEST(Typical, AreOfRunsThatWereMeasured) {
  Measured measured;
  EXPECT_FALSE(typical(measured, "cpu_ns"));
  EXPECT_FALSE(was_measured(measured));
  measured.runs = {{1, State::measured, "", {{"cpu_ns", 5}}, {}},
                   {2, State::failed, "", {{"cpu_ns", 1000}}, {}},
                   {3, State::measured, "", {{"per_second", 1}}, {}},
                   {4, State::measured, "", {{"cpu_ns", 7}}, {}}};
  EXPECT_EQ(values(measured, "cpu_ns"), (std::vector<double>{5, 7}));
  EXPECT_EQ(typical(measured, "cpu_ns"), 6);
  EXPECT_FALSE(typical(measured, "stopped_ns"));
  EXPECT_TRUE(was_measured(measured));
}

TEST(Typical, ReadInThreeDigits) {
  EXPECT_EQ(duration_text(0), "0 ns");
  EXPECT_EQ(duration_text(3764), "3.76 us");
  EXPECT_EQ(duration_text(315'400'000), "315 ms");
  EXPECT_EQ(duration_text(999'600), "1 ms");
  EXPECT_EQ(duration_text(4.2e12), "4200 s");
  EXPECT_EQ(frequency_text(257'781), "258 kHz");
  EXPECT_EQ(frequency_text(0.984), "0.984 Hz");
  EXPECT_EQ(share_text(0.0042), "0.42 %");
  EXPECT_EQ(share_text(1), "100 %");
}

TEST(Typical, WaysReadAsTheCommandLineAsksForThem) {
  const Cell cell{"demo", "idle", "processes", "map", "freeze", "quiescent", 10};
  EXPECT_EQ(way_text(cell), "map --pause=freeze --quiescent");
  EXPECT_EQ(cell_text(cell), "map --pause=freeze --quiescent, processes of demo, idle, at 10 Hz");
}

}  // namespace
}  // namespace vitrine::survey
