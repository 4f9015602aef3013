// Guest-physical memory mapped into this process, for the map technique.
//
// Thread contract: reading from several threads is fine. Effect on the guest: none.
#pragma once

#include <memory>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/host/hole_safe_mapping.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class MappedMemory final : public memory::PhysicalMemory, public memory::Windows {
 public:
  // Maps every region of the layout from the VMM's own descriptor of its file.
  static base::Result<std::unique_ptr<MappedMemory>> create(const vmm::Machine& machine,
                                                            const vmm::RamLayout& layout);

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return ram_; }
  std::vector<memory::Range> populated(memory::Range within) override;
  std::span<const memory::Window> windows() const override { return windows_; }

 private:
  struct Backing {
    host::HoleSafeMapping mapping;
    base::FileDescriptor file;
    std::uint64_t file_offset = 0;
  };

  MappedMemory() = default;

  std::vector<Backing> backings_;  // one per range
  std::vector<memory::Range> ram_;
  std::vector<memory::Window> windows_;
};

// Opens, for reading, the file that backs a region, through a descriptor of the VMM's or through
// its mapping; the file may be deleted or have no name. Error: `denied` or `absent`.
base::Result<base::FileDescriptor> open_backing(pid_t pid, const vmm::RamRegion& region);

}  // namespace vitrine::techniques
