// The guest's clocks, as of its last clock tick.
//
// Thread contract: immutable once attached. Cost: 4 loads.
#pragma once

#include "vitrine/kernel/timekeeper.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

struct Times {
  std::uint64_t monotonic_ns = 0;  // since the guest booted, without the time it was suspended
  std::uint64_t boot_ns = 0;       // since the guest booted
};

class Clock {
 public:
  // Errors: the member that is missing, or `unsupported` where no symbol leads to the clock.
  static base::Result<Clock> attach(const kernel::Kernel& kernel) {
    const auto keeper = kernel::find_timekeeper(kernel);
    if (!keeper)
      return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name its clock",
                        "the guest's kernel needs CONFIG_KALLSYMS_ALL");
    Resolver at(kernel.types);
    Clock clock;
    clock.keeper_ = keeper->at;
    clock.base_ = at("timekeeper", "tkr_mono.base");
    clock.fraction_ = at("timekeeper", "tkr_mono.xtime_nsec");
    clock.shift_ = at("timekeeper", "tkr_mono.shift");
    clock.to_boot_ = at("timekeeper", "offs_boot");
    if (at.error()) return base::fail(*at.error());
    return clock;
  }

  // False where it can't be read. Without the sequence counter: one tick more or less is no matter.
  bool read(Reader& reader, Times& times) const {
    std::uint64_t base = 0;
    std::uint64_t fraction = 0;
    std::uint64_t to_boot = 0;
    std::uint32_t shift = 0;
    if (!reader.load(keeper_ + base_, base) || !reader.load(keeper_ + fraction_, fraction) ||
        !reader.load(keeper_ + shift_, shift) || !reader.load(keeper_ + to_boot_, to_boot))
      return false;
    times.monotonic_ns = base + (shift < 64 ? fraction >> shift : 0);
    times.boot_ns = times.monotonic_ns + to_boot;
    return true;
  }

 private:
  base::GuestVirtual keeper_;
  std::uint32_t base_ = 0, fraction_ = 0, shift_ = 0, to_boot_ = 0;  // timekeeper
};

}  // namespace vitrine::views
