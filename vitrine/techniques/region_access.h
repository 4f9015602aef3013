// The access that process-vm and proc-mem return: nothing is done to the VM, so nothing is undone.
//
// Thread contract: as technique.h says of every access.
#pragma once

#include <memory>

#include "vitrine/techniques/region_memory.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

class RegionAccess final : public Access {
 public:
  // What has to hold of the VMM's process at each observation.
  using Condition = base::Result<void> (*)(pid_t pid);

  static base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                                    const vmm::RamLayout& layout,
                                                    std::unique_ptr<PieceReader> reader,
                                                    Condition condition = nullptr) {
    auto pages = PopulatedPages::open(machine.process.pid, layout);
    if (!pages) return base::fail(pages.error());
    return std::unique_ptr<Access>(
        new RegionAccess(machine.process.pid, std::move(*pages), std::move(reader), condition));
  }

  memory::PhysicalMemory& memory() override { return memory_; }
  base::Result<void> begin() override {
    return condition_ != nullptr ? condition_(pid_) : base::Result<void>();
  }

 private:
  RegionAccess(pid_t pid, PopulatedPages pages, std::unique_ptr<PieceReader> reader,
               Condition condition)
      : pid_(pid), memory_(std::move(pages), std::move(reader)), condition_(condition) {}

  pid_t pid_;
  RegionMemory memory_;
  Condition condition_;
};

}  // namespace vitrine::techniques
