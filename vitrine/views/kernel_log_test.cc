#include "vitrine/views/kernel_log.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/kernel_log.h"
#include "tests/synthetic/load_hook.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::LogState;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

GuestOptions mapped() {
  GuestOptions options;
  options.mapped = true;
  return options;
}

class KernelLogTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  synthetic::KernelLog& log(unsigned count_bits = 4, unsigned size_bits = 9) {
    log_.emplace(guest_.kernel(), count_bits, size_bits);
    return *log_;
  }
  std::vector<NamedRow> rows(const LogOptions& options = {}) {
    if (!kernel_) {
      kernel_.emplace(locate_kernel(guest_));
      auto view = KernelLog::attach(*kernel_, guest_.memory(), options);
      if (!view) throw std::runtime_error(to_string(view.error()));
      view_ = std::move(*view);
      observer_.emplace(*kernel_, guest_.memory(), GetParam());
    }
    outcome_ = observer_->collect(*view_);
    return rows_of(*view_);
  }
  std::vector<std::string> texts() {
    std::vector<std::string> found;
    for (const NamedRow& row : rows()) found.push_back(row.text("text"));
    return found;
  }

  Guest guest_{mapped()};
  std::optional<synthetic::KernelLog> log_;
  std::optional<kernel::Kernel> kernel_;
  std::unique_ptr<View> view_;
  std::optional<Observer> observer_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, KernelLogTest, ::testing::ValuesIn(synthetic::every_reader));

// Readers that load one value at a time.
class InPlace : public KernelLogTest {};
INSTANTIATE_TEST_SUITE_P(Readers, InPlace,
                         ::testing::Values(ReaderKind::windowed, ReaderKind::recording_windowed));

TEST_P(KernelLogTest, ShowsEveryFieldOfARecord) {
  log().add({.text = "Linux version", .level = 5, .time_ns = 0, .caller = 0x80000003});
  log_->add({.text = "link is up\nat last",
             .level = 4,
             .facility = 3,
             .time_ns = 1'234'567,
             .caller = 77,
             .subsystem = "pci",
             .device = "+pci:0000:00:03.0"});
  const auto all = rows();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].number("seq"), 0U);
  EXPECT_EQ(all[0].text("level"), "notice");
  EXPECT_EQ(all[0].text("facility"), "kern");
  EXPECT_EQ(all[0].text("caller"), "C3");
  EXPECT_TRUE(all[0].is_null("subsystem"));
  EXPECT_TRUE(all[0].is_null("device"));
  EXPECT_EQ(all[0].text("text"), "Linux version");
  EXPECT_EQ(all[1].number("seq"), 1U);
  EXPECT_EQ(all[1].number("time_ns"), 1'234'567U);
  EXPECT_EQ(all[1].number("priority"), 4U);
  EXPECT_EQ(all[1].text("level"), "warn");
  EXPECT_EQ(all[1].text("facility"), "daemon");
  EXPECT_EQ(all[1].text("caller"), "T77");
  EXPECT_EQ(all[1].text("subsystem"), "pci");
  EXPECT_EQ(all[1].text("device"), "+pci:0000:00:03.0");
  EXPECT_EQ(all[1].text("text"), "link is up\nat last");
}

// Records and texts wrap many times, at lengths that end just before, at and after the ring's end.
TEST_P(KernelLogTest, ShowsTheLatestRecordsOfARingThatWraps) {
  log();
  std::vector<std::string> written;
  for (unsigned i = 0; i < 200; ++i) {
    written.push_back(std::to_string(i) + std::string(i * 7 % 60, 'x'));
    log_->add({.text = written.back()});
    const auto shown = texts();
    ASSERT_TRUE(outcome_.complete) << outcome_.warnings.front();
    ASSERT_EQ(shown.size(), log_->size());
    ASSERT_TRUE(std::equal(shown.rbegin(), shown.rend(), written.rbegin())) << i;
  }
}

TEST_P(KernelLogTest, LeavesOutWhatIsNotWholeAndSaysWhatWasLost) {
  log().add({.text = "first"});
  log_->add({.text = "being written"}, LogState::reserved);
  log_->add({.text = "to be continued"}, LogState::committed);
  log_->add({.text = ""});
  log_->add_lost({.text = "no room"});
  const auto all = rows();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].text("text"), "first");
  EXPECT_EQ(all[1].text("text"), "to be continued");
  EXPECT_EQ(all[2].text("text"), "");
  EXPECT_TRUE(all[3].is_null("text"));
  EXPECT_NE(all[3].errors.at("text").find("no room"), std::string::npos);
}

// As where a reader has its descriptor from before it was overwritten, and its text from after
// that.
TEST_P(KernelLogTest, LeavesOutARecordWhoseTextIsAnothers) {
  log().add({.text = "first"});
  log_->add({.text = "second"});
  guest_.kernel().put(log_->block(), guest_.kernel().get<std::uint64_t>(log_->block()) + 16);
  EXPECT_EQ(texts(), std::vector<std::string>{"first"});
}

// The blank descriptor with which a ring begins is nothing that is to be waited for.
TEST_P(KernelLogTest, WaitsForWhatIsNotFinishedIfAsked) {
  log().add({.text = "blank"}, LogState::reusable);
  log_->add({.text = "first"});
  log_->add({.text = "to be continued"}, LogState::committed);
  log_->add({.text = "after"});
  const auto all = rows({.finished_only = true});
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].text("text"), "first");
}

TEST_P(KernelLogTest, ADamagedRingIsReportedAndBounded) {
  for (int i = 0; i < 16; ++i) log().add({.text = "text"});
  rows();
  const auto damage = [this](const char* member, std::uint64_t value) {
    const std::uint64_t before = guest_.kernel().value(log_->ring(), "printk_ringbuffer", member);
    guest_.kernel().set(log_->ring(), "printk_ringbuffer", member, value);
    rows();
    EXPECT_FALSE(outcome_.complete) << member;
    EXPECT_FALSE(outcome_.warnings.empty()) << member;
    guest_.kernel().set(log_->ring(), "printk_ringbuffer", member, before);
  };
  damage("desc_ring.count_bits", 63);
  damage("desc_ring.tail_id.counter", 0);
  damage("desc_ring.descs", 0);
  damage("desc_ring.infos", 0xdead000000000000);
  guest_.kernel().set(log_->descriptor(), "prb_desc", "text_blk_lpos.next", 1ULL << 40);
  const auto all = rows();
  EXPECT_TRUE(all.back().is_null("text"));
  EXPECT_TRUE(all.back().errors.contains("text"));
}

// Bytes at random, all over the ring.
TEST_P(KernelLogTest, WhateverTheRingHoldsACollectionEnds) {
  for (int i = 0; i < 16; ++i) log().add({.text = "some text"});
  rows();
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 100; ++round) {
    const std::uint64_t descriptor = random() % 3 * 8;
    guest_.kernel().put(log_->descriptor() + descriptor, random());
    guest_.kernel().put(log_->info() + random() % 11 * 8, random());
    const auto all = rows();
    EXPECT_LE(all.size(), 16U);
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
  }
}

TEST_P(KernelLogTest, AKernelWithoutTheRingIsToldSo) {
  GuestOptions options;
  options.kernel.missing_symbols = {"prb"};
  Guest guest(options);
  const kernel::Kernel kernel = locate_kernel(guest);
  const auto view = KernelLog::attach(kernel, guest.memory());
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, base::Code::unsupported);
}

// A writer may take the oldest record's place between any two loads of ours.
TEST_P(InPlace, NeverShowsARecordThatWasOverwrittenMeanwhile) {
  log(2, 8);
  unsigned written = 0;
  const auto write = [this, &written] {
    log_->add({.text = std::to_string(written), .time_ns = written});
    ++written;
  };
  for (int i = 0; i < 4; ++i) write();
  rows();
  for (std::uint64_t moment = 0; moment < 60; ++moment) {
    {
      const synthetic::LoadHook hook(dynamic_cast<synthetic::MappedMemory&>(guest_.memory()),
                                     [&](std::uint64_t load) {
                                       if (load == moment) write();
                                     });
      outcome_ = observer_->collect(*view_);
    }
    for (const NamedRow& row : rows_of(*view_)) {
      ASSERT_EQ(row.text("text"), std::to_string(row.number("seq"))) << moment;
      ASSERT_EQ(row.number("time_ns"), row.number("seq")) << moment;
    }
    EXPECT_GE(view_->size(), 3U) << moment;
  }
}

}  // namespace
}  // namespace vitrine::views
