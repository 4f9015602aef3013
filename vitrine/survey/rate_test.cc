#include "vitrine/survey/rate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "vitrine/survey/figures.h"

namespace vitrine::survey {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::Key;
using testing::Not;

// A technique of which everything is known: how long an observation takes, and for how much of that
// the guest is stopped.
struct FakeTechnique {
  std::chrono::nanoseconds latency = milliseconds(4);
  std::uint64_t stopped_ns = 1'000'000;
  int observations = 0;
  int rests = 0;

  Subject subject() {
    return {.observe = [this] { return observe(); },
            .rest =
                [this] {
                  ++rests;
                  return base::Result<void>();
                },
            .rows = [] { return std::uint64_t{56}; }};
  }
  base::Result<session::Observation> observe() {
    ++observations;
    std::this_thread::sleep_for(latency);
    session::Observation observation;
    observation.stopped_ns = stopped_ns;
    observation.outcome.complete = true;
    return observation;
  }
};

TEST(Rate, OfAFakeTechniqueComesOutRight) {
  FakeTechnique fake;
  const auto rate = measure_rate(fake.subject(), {.duration = milliseconds(400)});
  ASSERT_TRUE(rate);
  const Figures figures = figures_of(*rate);
  // A loaded host makes sleeps longer, never shorter.
  EXPECT_GE(figures.at("latency_p50_ns"), 4e6 * 0.99);
  EXPECT_LE(figures.at("latency_p50_ns"), 8e6);
  EXPECT_LE(figures.at("per_second"), 250);
  EXPECT_GE(figures.at("per_second"), 60);
  EXPECT_EQ(figures.at("stopped_ns"), 1e6);
  EXPECT_NEAR(figures.at("stopped_share"), figures.at("per_second") * 1e-3, 1e-9);
  EXPECT_NEAR(figures.at("cpu_share"), figures.at("per_second") * figures.at("cpu_ns") / 1e9, 1e-9);
  EXPECT_LT(figures.at("cpu_share"), 0.5) << "it sleeps";
  EXPECT_EQ(figures.at("rows"), 56);
  EXPECT_EQ(figures.at("reached"), figures.at("views"));
  EXPECT_EQ(figures.at("one_instant"), 0);
  EXPECT_EQ(figures.at("incomplete"), 0);
  EXPECT_EQ(fake.rests, 0);
  std::uint64_t counted = 0;
  for (const auto& [ns, count] : rate->latencies) counted += count;
  EXPECT_EQ(counted, rate->views);
  EXPECT_EQ(rate->latencies.back().first >= rate->latency_ns.max, true);
  EXPECT_THAT(figures, Not(Contains(Key("vmm_cpu_ns")))) << "of no VM";
}

TEST(Rate, KeepsAPace) {
  FakeTechnique fake;
  const auto rate = measure_rate(
      fake.subject(), {.duration = milliseconds(500), .frequency_hz = 20, .warm_up = {}});
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->views, 10U);
  EXPECT_EQ(fake.observations, 11) << "one to warm up";
  EXPECT_EQ(fake.rests, 10);
  EXPECT_NEAR(rate->per_second, 20, 2);
  EXPECT_NEAR(figures_of(*rate).at("stopped_share"), 0.02, 0.002);
  EXPECT_LT(rate->latency_ns.p50, 30e6) << "waiting is no latency";
}

TEST(Rate, FallsBehindAPaceThatIsTooFast) {
  FakeTechnique fake;
  const auto rate =
      measure_rate(fake.subject(), {.duration = milliseconds(200), .frequency_hz = 10'000});
  ASSERT_TRUE(rate);
  EXPECT_LE(rate->per_second, 250);
  EXPECT_EQ(fake.rests, 0);
}

TEST(Rate, SeesMemoryThatIsUsed) {
  FakeTechnique fake;
  const auto usual = measure_rate(fake.subject(), {.duration = milliseconds(20)});
  Subject hungry = fake.subject();
  std::vector<char> memory;
  hungry.observe = [&] {
    memory.assign(32 << 20, 1);
    return fake.observe();
  };
  const auto rate = measure_rate(hungry, {.duration = milliseconds(20)});
  ASSERT_TRUE(usual && rate);
  EXPECT_GE(*rate->peak_memory_bytes, *usual->peak_memory_bytes + (30 << 20));
}

TEST(Rate, CountsWhatIsOfOneInstant) {
  FakeTechnique fake;
  fake.latency = milliseconds(1);
  Subject subject = fake.subject();
  subject.observe = [&] {
    auto observation = fake.observe();
    constexpr std::array kAll{consistency::Atomic::proved, consistency::Atomic::unchanged,
                              consistency::Atomic::no, consistency::Atomic::unknown};
    observation->consistency.atomic = kAll.at(static_cast<std::size_t>(fake.observations) % 4);
    return observation;
  };
  const auto rate = measure_rate(subject, {.duration = milliseconds(50), .warm_up = {}});
  ASSERT_TRUE(rate);
  EXPECT_NEAR(static_cast<double>(rate->one_instant), static_cast<double>(rate->views) / 2, 1);
}

TEST(Rate, TellsAnError) {
  FakeTechnique fake;
  Subject subject = fake.subject();
  subject.observe = [&]() -> base::Result<session::Observation> {
    if (++fake.observations > 3) return base::fail(base::Code::gone, "the VM ended");
    return session::Observation{};
  };
  const auto rate = measure_rate(subject, {.duration = milliseconds(100), .warm_up = {}});
  ASSERT_FALSE(rate);
  EXPECT_EQ(rate.error().code, base::Code::gone);
}

}  // namespace
}  // namespace vitrine::survey
