// Guest-physical memory read from the guest's own /proc/kcore through its agent. Every command
// costs far more than the bytes it moves, so neighbouring requests become one piece, and all pieces
// are asked for before the first is answered.
//
// A page that the guest's kernel does not offer there is `failed`: what is no RAM to it (firmware
// tables, memory it was told to leave alone), what it has not brought online, and what it hides.
//
// Thread contract: one thread at a time. Effect on the guest: its agent works.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "vitrine/memory/physical_memory.h"
#include "vitrine/techniques/kcore_file.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class KcoreMemory final : public memory::PhysicalMemory {
 public:
  KcoreMemory(const vmm::RamLayout& layout, std::unique_ptr<KcoreFile> file);

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return ram_; }
  std::vector<memory::Range> populated(memory::Range within) override;

  // Why reading ended; nothing lasts beyond a successful read.
  const base::Result<void>& health() const { return health_; }
  void recover();

 private:
  // A request that the file can serve, from one of its segments.
  struct Wanted {
    const KcoreSegment* segment = nullptr;
    memory::ReadRequest* request = nullptr;

    std::uint64_t offset() const {
      return segment->offset + (request->address - segment->physical.start);
    }
  };

  const KcoreSegment* segment_of(const memory::ReadRequest& request) const;
  void fetch(std::span<const Wanted> wanted);

  std::unique_ptr<KcoreFile> file_;
  std::vector<memory::Range> ram_;
  std::vector<std::byte> arena_;
  base::Result<void> health_;
};

}  // namespace vitrine::techniques
