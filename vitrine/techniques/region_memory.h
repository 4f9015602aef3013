// Guest-physical memory read from the VMM's process: translates guest-physical addresses through
// the RAM layout, clamps every access to it, and leaves pages alone that the VMM has not populated
// (populated_pages.h).
//
// Thread contract: one thread at a time. Effect on the guest: none.
#pragma once

#include <memory>
#include <vector>

#include "vitrine/host/memory_read.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/techniques/populated_pages.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

// How pieces of the VMM's memory are read: what tells the techniques apart that read them.
class PieceReader {
 public:
  virtual ~PieceReader() = default;
  // Reads every piece it can and sets its `ok`.
  virtual void read(std::span<host::RemoteRead> pieces) = 0;
};

class RegionMemory final : public memory::PhysicalMemory {
 public:
  RegionMemory(PopulatedPages pages, std::unique_ptr<PieceReader> reader);

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return pages_.ram(); }
  std::vector<memory::Range> populated(memory::Range within) override {
    return pages_.populated(within);
  }
  void begin_observation() override { pages_.begin_observation(); }

 private:
  PopulatedPages pages_;
  std::unique_ptr<PieceReader> reader_;
  std::vector<host::RemoteRead> pieces_;
  std::vector<std::size_t> owners_;  // of each piece: the index of its request
};

}  // namespace vitrine::techniques
