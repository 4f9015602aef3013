// What reads guest-physical memory for page-table walks:
//
//   WindowReader  loads in place from RAM mapped into this process
//   GatherReader  copies what the last observation used in one scattered read
//   Reader        either of them, and keeps a recording if asked: what views are written over
//
// Thread contract: one thread at a time per reader.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include "vitrine/memory/load.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::memory {

// What an observation has read so far: pieces fetched from the guest, and their bytes.
struct Cost {
  std::uint64_t reads = 0;
  std::uint64_t bytes = 0;
};

inline constexpr std::uint64_t kAllBits = ~std::uint64_t{0};

template <class R>
concept PhysicalReader = requires(R reader, base::GuestPhysical at, std::uint64_t& value,
                                  std::span<std::byte> bytes) {
  // Begins an observation: what was read before is forgotten, the cost starts at zero.
  {reader.begin()};
  // Fetches one value once; false if it could not be read, and status() says why.
  { reader.load(at, value) } -> std::same_as<bool>;
  // The same of a value of which some bits do not count where collections are compared: a statistic
  // (all of them), or what the processor itself changes in a page-table entry.
  { reader.load_ignoring(at, value, std::uint64_t{}) } -> std::same_as<bool>;
  { reader.load_bytes(at, bytes) } -> std::same_as<bool>;
  // Says that [at, at + size) will be wanted, so that it can be fetched in one piece.
  {reader.expect(at, std::uint64_t{})};
  // Where [at, at + size) can be loaded from in place, through memory::load, for as long as the
  // reader; nullptr where it can't, and then load() is the way.
  { reader.in_place(at, std::uint64_t{}) } -> std::same_as<const std::byte*>;
  // Adds what was loaded in place to the cost.
  {reader.charge(Cost{})};
  { reader.status() } -> std::same_as<ReadStatus>;
  { reader.cost() } -> std::same_as<Cost>;
};

}  // namespace vitrine::memory
