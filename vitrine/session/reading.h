// Reads views from the memory of one access: the readers over it, and the words by which it is
// noticed that the guest has rebooted.
//
// Thread contract: one thread at a time. Effect on the guest: that of the access.
#pragma once

#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/consistency/collector.h"
#include "vitrine/kernel/kernel.h"

namespace vitrine::session {

class Reading {
 public:
  // Both outlive this object.
  Reading(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);

  // Begins to look at the memory anew, and tells whether it still holds the kernel.
  bool begin();

  // Collects the view anew. `still`: the memory cannot change meanwhile. False where the memory
  // does not hold the kernel any more.
  bool collect(views::View& view, const consistency::Demand& demand, bool still,
               consistency::Collection& collection);

  // What reads the memory, for hints of what to gather first and figures of what was.
  memory::Reader& physical() { return physical_; }
  const memory::Reader& physical() const { return physical_; }

 private:
  // A word of the guest's memory that stays what it is until the guest reboots.
  struct Sentinel {
    base::GuestPhysical at;
    std::uint64_t value = 0;
  };

  void choose_sentinels(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);
  bool sentinels_hold();

  memory::PhysicalMemory& memory_;
  memory::Reader physical_;
  views::Reader reader_;
  consistency::Collector collector_;
  std::vector<Sentinel> sentinels_;
};

}  // namespace vitrine::session
