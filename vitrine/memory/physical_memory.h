// The interface to guest-physical bytes. Everything above this layer reads a guest through it and
// cannot know how its bytes are obtained.
//
// Thread contract: one thread at a time per object, unless an implementation says otherwise.
// Effect on the guest: that of the technique behind it; see techniques/technique.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vitrine/base/address.h"

namespace vitrine::memory {

// Bytes [start, start + size) of guest-physical memory.
struct Range {
  base::GuestPhysical start;
  std::uint64_t size = 0;

  base::GuestPhysical end() const { return start + size; }
  bool contains(base::GuestPhysical at, std::uint64_t length) const {
    return at.value - start.value < size && length <= size - (at.value - start.value);
  }
  friend bool operator==(const Range&, const Range&) = default;
};

enum class ReadStatus : std::uint8_t {
  ok,
  outside_ram,    // not in validated RAM: nothing was read
  not_populated,  // RAM that the VMM has not populated: reading it would allocate it
  failed,         // the host refused or the memory went away
};

// One piece of a scattered read. A request must not cross the border of a RAM range.
struct ReadRequest {
  base::GuestPhysical address;
  std::span<std::byte> into;
  ReadStatus status = ReadStatus::failed;
};

class PhysicalMemory {
 public:
  virtual ~PhysicalMemory() = default;

  // Reads every request, each wholly or not at all, and sets its status. Bytes of a request that
  // is not `ok` are unspecified. In as few host calls as the technique allows.
  virtual void read(std::span<ReadRequest> requests) = 0;

  // The validated RAM, sorted and disjoint. Nothing outside it is ever accessed.
  virtual std::span<const Range> ram() const = 0;

  // The parts of `within` that can be read without making the host populate anything, sorted, in
  // whole 4 KiB pages; a hint for scans, since a page may come or go at any time.
  virtual std::vector<Range> populated(Range within) = 0;

  // Forgets what was cached about which pages are populated; called as an observation begins.
  virtual void begin_observation() {}

  // One contiguous read; convenience over read().
  ReadStatus read(base::GuestPhysical address, std::span<std::byte> into) {
    ReadRequest request{address, into};
    read(std::span(&request, 1));
    return request.status;
  }
};

// Optional power of a PhysicalMemory: RAM that is mapped into this process, read-only, so that it
// can be read in place through memory::load (which survives a page that is a hole or went away).
struct Window {
  Range range;
  const std::byte* bytes = nullptr;  // where range.start is mapped; pages may fault
};

class Windows {
 public:
  virtual ~Windows() = default;
  // Covers all of ram(); sorted, disjoint; valid as long as the memory.
  virtual std::span<const Window> windows() const = 0;
};

}  // namespace vitrine::memory
