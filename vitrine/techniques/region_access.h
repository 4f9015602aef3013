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
  static base::Result<std::unique_ptr<Access>> open(const vmm::Machine& machine,
                                                    const vmm::RamLayout& layout,
                                                    std::unique_ptr<PieceReader> reader) {
    auto pagemap = host::Pagemap::open(machine.process.pid);
    if (!pagemap) return base::fail(pagemap.error());
    return std::unique_ptr<Access>(
        new RegionAccess(layout, std::move(reader), std::move(*pagemap)));
  }

  memory::PhysicalMemory& memory() override { return memory_; }

 private:
  RegionAccess(const vmm::RamLayout& layout, std::unique_ptr<PieceReader> reader,
               host::Pagemap pagemap)
      : memory_(layout, std::move(reader), std::move(pagemap)) {}

  RegionMemory memory_;
};

}  // namespace vitrine::techniques
