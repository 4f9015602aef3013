// The base of live test suites: one guest per suite, booted once, its log shown upon failure.
//
// ctest runs each suite as one process (see CMakeLists.txt), so its tests share the guest.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/live/guest.h"
#include "tests/live/guest_tasks.h"
#include "tests/live/vitrine_command.h"

namespace vitrine::live {

class GuestTest : public testing::Test {
 protected:
  // To be called by the suite's SetUpTestSuite. Boots nothing if the kernel could not be had.
  static void boot(GuestOptions options) {
    missing_kernel_.clear();
    if (options.kernel && !kernel_available(*options.kernel)) {
      missing_kernel_ = *options.kernel;
      return;
    }
    if (options.agent && !agent_available()) {
      missing_kernel_ = "with an agent";
      return;
    }
    guest_ = std::make_unique<Guest>(std::move(options));
  }
  static void TearDownTestSuite() { guest_.reset(); }

  void SetUp() override {
    if (!missing_kernel_.empty()) {
      GTEST_SKIP() << "SKIPPED: guest kernel " << missing_kernel_
                   << " could not be fetched by script/guests";
    }
    ASSERT_NE(guest_, nullptr) << "the guest did not boot";
  }
  void TearDown() override {
    if (HasFailure() && guest_ != nullptr) ADD_FAILURE() << guest_->log();
  }

  static Guest& guest() { return *guest_; }

 private:
  static inline std::unique_ptr<Guest> guest_;
  static inline std::string missing_kernel_;
};

// Names a test of several kernels: "Linux6_1" for 6.1.
inline std::string linux_name(const testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (c == '.' || c == '-') c = '_';
  return "Linux" + name;
}

}  // namespace vitrine::live
