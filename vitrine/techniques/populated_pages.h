// Which pages of a VM's RAM its VMM has populated, so that the others are left alone: reading them
// would allocate them.
//
// /proc/PID/pagemap says which those are, and for shared RAM the file behind it: a page may be
// there that the VMM has not touched since it mapped the file, or that the host swapped out. (Where
// the file cannot be opened, such a page is taken for a hole.)
//
// What was found is remembered: a hole until the next observation begins; a private
// page for good, since reading one that was given back maps the shared zero page and allocates
// nothing; a shared page for kSharedTrust, since reading one that was given back would allocate it.
// (The map technique has no such window.)
//
// Thread contract: one thread at a time. Effect on the guest: none.
#pragma once

#include <chrono>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/host/pagemap.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class PopulatedPages {
 public:
  static constexpr std::chrono::milliseconds kSharedTrust{100};

  // Errors: as host::Pagemap::open.
  static base::Result<PopulatedPages> open(pid_t pid, const vmm::RamLayout& layout);

  // Where a piece of RAM stands in the VMM, if it may be read.
  struct Place {
    memory::ReadStatus status = memory::ReadStatus::outside_ram;
    base::HostVirtual host = {};  // where it is `ok`
  };
  Place find(base::GuestPhysical at, std::uint64_t size);

  // As PhysicalMemory's functions of these names.
  std::span<const memory::Range> ram() const { return ram_; }
  std::vector<memory::Range> populated(memory::Range within);
  void begin_observation();

 private:
  enum class State : std::uint8_t { unknown, hole, populated };

  // What is known of the pages of one region, in chunks that are looked up as a whole.
  struct Region {
    memory::Range range;
    base::HostVirtual host;
    bool shared = false;
    base::FileDescriptor file;  // of shared RAM
    std::uint64_t file_offset = 0;
    std::vector<State> pages;
    std::vector<bool> chunk_has_holes;
  };

  PopulatedPages(pid_t pid, const vmm::RamLayout& layout, host::Pagemap pagemap);

  bool is_populated(Region& region, std::uint64_t offset, std::uint64_t size);
  void look_up(Region& region, std::uint64_t chunk);
  static void look_into_file(Region& region, std::uint64_t first, std::uint64_t count);

  std::vector<Region> regions_;
  std::vector<memory::Range> ram_;
  host::Pagemap pagemap_;
  std::chrono::steady_clock::time_point shared_known_since_;
};

}  // namespace vitrine::techniques
