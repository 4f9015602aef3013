// Reads views from the memory of one access: the readers over it, and the words by which it is
// noticed that the guest has rebooted.
//
// Thread contract: one thread at a time. Effect on the guest: that of the access.
#pragma once

#include <optional>
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

  // Of memory that has to be copied, as the GatherReader's functions of these names; else nothing.
  void prefetch(std::span<const memory::Range> pieces);
  std::vector<memory::Range> used() const;
  std::vector<memory::Range> gathered() const;

 private:
  // A word of the guest's memory that stays what it is until the guest reboots.
  struct Sentinel {
    base::GuestPhysical at;
    std::uint64_t value = 0;
  };

  template <class Plain>
  struct Readers {
    Readers(const kernel::Kernel& kernel, const Plain& unused)
        : plain(unused), reader(kernel.space, plain), collector(kernel, plain, unused) {}
    Plain plain;
    paging::VirtualReader<Plain> reader;
    consistency::Collector<Plain> collector;
  };

  void choose_sentinels(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);
  template <class Plain>
  bool sentinels_hold(Plain& plain) const;
  template <class Plain>
  bool collect_with(Readers<Plain>& readers, views::View& view, const consistency::Demand& demand,
                    bool still, consistency::Collection& collection);

  memory::PhysicalMemory& memory_;
  std::optional<Readers<memory::WindowReader>> window_;
  std::optional<Readers<memory::GatherReader>> gather_;
  std::vector<Sentinel> sentinels_;
};

}  // namespace vitrine::session
