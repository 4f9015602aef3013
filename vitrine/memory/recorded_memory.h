// Memory that keeps what was read of it, and memory that consists of what was kept: evidence.
//
// Page-table entries are read like anything else, so what was recorded suffices to walk the same
// tables and to decode the same structures again.
//
// Thread contract: one thread at a time per object. Effect on the guest: that of the recorded
// memory. Private memory: what is recorded, once.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::memory {

// Bytes of guest-physical memory, sparse.
class SparseBytes {
 public:
  struct Piece {
    base::GuestPhysical at;
    std::vector<std::byte> bytes;
    friend bool operator==(const Piece&, const Piece&) = default;
  };

  // Puts bytes at an address; what was there is replaced.
  void put(base::GuestPhysical at, std::span<const std::byte> bytes);

  // Fills `into`; false where a byte of it is not known.
  bool read(base::GuestPhysical at, std::span<std::byte> into) const;

  // The known parts, sorted, neighbours joined.
  std::vector<Piece> pieces() const;
  std::uint64_t size() const { return known_; }

  // The pages of which anything is known, within a range, sorted, neighbours joined.
  std::vector<Range> pages(Range within) const;

 private:
  static constexpr std::uint64_t kPage = 4096;
  struct Page {
    std::vector<std::byte> bytes;  // kPage
    std::vector<bool> known;
  };

  std::map<std::uint64_t, Page> pages_;  // by number
  std::uint64_t known_ = 0;              // bytes
};

// Reads through another memory, in no other way than that, and keeps every byte.
class RecordingMemory final : public PhysicalMemory {
 public:
  // `memory` outlives this.
  explicit RecordingMemory(PhysicalMemory& memory) : memory_(memory) {}

  using PhysicalMemory::read;
  void read(std::span<ReadRequest> requests) override;
  std::span<const Range> ram() const override { return memory_.ram(); }
  std::vector<Range> populated(Range within) override { return memory_.populated(within); }
  void begin_observation() override { memory_.begin_observation(); }

  const SparseBytes& recorded() const { return recorded_; }

 private:
  PhysicalMemory& memory_;
  SparseBytes recorded_;
};

// What was recorded, as memory: a byte that was not is not populated.
class RecordedMemory final : public PhysicalMemory {
 public:
  // `ram` is sorted and disjoint; nothing outside of it can be read.
  RecordedMemory(std::vector<Range> ram, SparseBytes recorded)
      : ram_(std::move(ram)), recorded_(std::move(recorded)) {}

  using PhysicalMemory::read;
  void read(std::span<ReadRequest> requests) override;
  std::span<const Range> ram() const override { return ram_; }
  std::vector<Range> populated(Range within) override { return recorded_.pages(within); }

 private:
  std::vector<Range> ram_;
  SparseBytes recorded_;
};

}  // namespace vitrine::memory
