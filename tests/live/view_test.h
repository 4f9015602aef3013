// The base of suites that compare views with what guests of several kernels say of themselves.
//
// Its suites share a guest of each kernel within a test program, since booting takes longer than
// looking. It has two CPUs and a virtio console. What a test starts in it ends with the test; what
// a test mounts, loads or configures stays, and is nothing that another may rely on.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/live/guest_test.h"

namespace vitrine::live {

class ViewTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!kernel_available(GetParam())) GTEST_SKIP() << "SKIPPED: guest kernel " << GetParam();
    auto& shared = guests_[GetParam()];
    if (shared == nullptr)
      shared = std::make_unique<Guest>(
          GuestOptions{.kernel = GetParam(),
                       .name = std::string("views-") + GetParam(),
                       .arguments = {"-smp", "2", "-device", "virtio-serial-pci", "-chardev",
                                     "file,id=none,path=/dev/null", "-device",
                                     "virtserialport,chardev=none,name=none"}});
    guest_ = shared.get();
    last_process_ = guest().run("echo -n $$");
  }
  void TearDown() override {
    if (guest_ == nullptr) return;
    if (HasFailure()) ADD_FAILURE() << guest().log();
    guest().run("for p in /proc/[0-9]*; do p=${p#/proc/}; [ $p -le " + last_process_ +
                " ] || [ $p = $$ ] || kill -9 $p; done 2>/dev/null; true");
  }

  Guest& guest() { return *guest_; }
  // Of a verb that shows a view.
  nlohmann::json rows(const std::string& verb) {
    return vitrine_json({verb, guest().name()}).at("rows");
  }

 private:
  static inline std::map<std::string, std::unique_ptr<Guest>> guests_;  // by kernel

  Guest* guest_ = nullptr;
  std::string last_process_;  // of those that were there before the test
};

}  // namespace vitrine::live
