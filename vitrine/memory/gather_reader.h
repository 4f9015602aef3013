// The plain reader of memory that has to be copied from another process or interface. A host call
// costs far more than the bytes it moves, so an observation begins by gathering, in one scattered
// read, the spans that the last two used; only what is new is then chased one by one.
//
// A span is the part of a 4 KiB page that was wanted, from the first byte to the last: the bytes in
// between cost less than a second piece would.
//
// What was gathered is as old as the observation's beginning: a consistency check has to compare
// whole observations (see consistency/), as with any live reader.
//
// Thread contract: one thread at a time.
// Effect on the guest: that of the PhysicalMemory behind it. Private memory: at most kArenaLimit.
#pragma once

#include <cstring>
#include <vector>

#include "vitrine/memory/physical_reader.h"

namespace vitrine::memory {

class GatherReader {
 public:
  // `memory` outlives the reader.
  explicit GatherReader(PhysicalMemory& memory);

  void begin();

  template <Loadable T>
  bool load(base::GuestPhysical at, T& to) {
    const std::byte* from = find(at, sizeof(T));
    if (from == nullptr) return false;
    return memory::load(from, to);
  }

  template <Loadable T>
  bool load_ignoring(base::GuestPhysical at, T& to, std::uint64_t /*ignored*/) {
    return load(at, to);
  }

  // May cross pages.
  bool load_bytes(base::GuestPhysical at, std::span<std::byte> to);

  void expect(base::GuestPhysical at, std::uint64_t size);
  // Copies move while an observation grows, so none is served in place.
  const std::byte* in_place(base::GuestPhysical, std::uint64_t) { return nullptr; }
  void charge(Cost) {}

  // Copies anew, when it is asked for next, what lies in the pages of the piece.
  void forget(Range piece);

  ReadStatus status() const { return status_; }
  Cost cost() const { return cost_; }

  // Makes the next begin() gather these pieces, too: what an earlier run needed. Those outside RAM
  // are ignored, and so is what goes beyond some megabytes.
  void prefetch(std::span<const Range> pieces);

  // What the last observation used, for a later run's prefetch(); sorted, neighbours joined.
  std::vector<Range> used() const;

  // The pieces that the next begin() will gather, for measuring the bare cost of reading them.
  std::vector<Range> gathered() const;

 private:
  static constexpr std::uint64_t kPage = 4096;
  static constexpr std::size_t kArenaLimit = 32u << 20;
  static constexpr std::uint64_t kPrefetchLimit = 8u << 20;

  // The wanted part of one page; `bytes` is where offset `low` stands in the arena.
  struct Span {
    std::uint64_t page = 0;
    std::uint16_t low = 0;
    std::uint16_t high = 0;
    ReadStatus status = ReadStatus::failed;
    std::uint32_t used_in = 0;  // the observation that used it last
    std::uint32_t bytes = 0;
  };

  // Where [at, at + size), which lies in one page, has been copied; nullptr if it can't be read.
  const std::byte* find(base::GuestPhysical at, std::uint64_t size) {
    const std::uint64_t page = at.value / kPage;
    const auto offset = static_cast<std::uint32_t>(at.value % kPage);
    if (const Span* span = lookup(page);
        span != nullptr && span->low <= offset && offset + size <= span->high) [[likely]] {
      if (span->status == ReadStatus::ok) [[likely]]
        return arena_.data() + span->bytes + (offset - span->low);
      status_ = span->status;
      return nullptr;
    }
    return fetch(at, size);
  }

  // By neither of the last two observations: one may be only a comparison with the other. Nor is
  // there any use in one that was forgotten.
  bool unused_for_long(const Span& span) const {
    return span.used_in + 1 < observation_ || span.low == span.high;
  }

  Span* lookup(std::uint64_t page) {
    for (std::size_t at = hash(page);; at = (at + 1) & (table_.size() - 1)) {
      const std::uint32_t index = table_[at];
      if (index == kNone) return nullptr;
      Span& span = spans_[index];
      if (span.page != page) continue;
      span.used_in = observation_;
      return &span;
    }
  }

  std::size_t hash(std::uint64_t page) const {
    return (page * 0x9e3779b97f4a7c15u >> 32) & (table_.size() - 1);
  }

  const std::byte* fetch(base::GuestPhysical at, std::uint64_t size);
  void insert(std::uint32_t index);
  void add_span(const Span& span);
  void plan();
  void gather();

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  PhysicalMemory& memory_;
  std::vector<Span> spans_;
  std::vector<std::uint32_t> table_;  // open addressing: index into spans_
  std::vector<std::byte> arena_;
  std::vector<ReadRequest> requests_;         // what gather() reads, in the order of the arena
  std::vector<std::uint32_t> request_spans_;  // first span of each request
  std::vector<std::byte> overflow_;           // a single piece, when the arena is full
  std::uint32_t observation_ = 1;
  bool planned_ = false;  // requests_ cover exactly the spans
  Cost cost_;
  ReadStatus status_ = ReadStatus::ok;
};

}  // namespace vitrine::memory
