// Guest-physical memory read from the VMM's process: translates guest-physical addresses through
// the RAM layout, clamps every access to it, and leaves pages alone that the VMM has not populated.
//
// Whether a page is populated comes from /proc/PID/pagemap and is remembered: a hole until the next
// observation begins; a private page for good, since reading one that was given back maps the
// shared zero page and allocates nothing; a shared page for kSharedTrust, since reading one that
// was given back would allocate it. (The map technique has no such window.)
//
// Thread contract: one thread at a time. Effect on the guest: none.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "vitrine/host/memory_read.h"
#include "vitrine/host/pagemap.h"
#include "vitrine/memory/physical_memory.h"
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
  static constexpr std::chrono::milliseconds kSharedTrust{100};

  RegionMemory(const vmm::RamLayout& layout, std::unique_ptr<PieceReader> reader,
               host::Pagemap pagemap);

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return ram_; }
  std::vector<memory::Range> populated(memory::Range within) override;
  void begin_observation() override;

 private:
  enum class State : std::uint8_t { unknown, hole, populated };

  // What is known of the pages of one region, in chunks that are looked up as a whole.
  struct Region {
    memory::Range range;
    base::HostVirtual host;
    bool shared = false;
    std::vector<State> pages;
    std::vector<bool> chunk_has_holes;
  };

  Region* find(base::GuestPhysical at, std::uint64_t size);
  bool is_populated(Region& region, std::uint64_t offset, std::uint64_t size);
  void look_up(Region& region, std::uint64_t chunk);

  std::vector<Region> regions_;
  std::vector<memory::Range> ram_;
  std::unique_ptr<PieceReader> reader_;
  host::Pagemap pagemap_;
  std::vector<host::RemoteRead> pieces_;
  std::vector<std::size_t> owners_;  // of each piece: the index of its request
  std::chrono::steady_clock::time_point shared_known_since_;
};

}  // namespace vitrine::techniques
