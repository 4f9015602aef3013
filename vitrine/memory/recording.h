// What one observation read: every value with its place, page-table entries included, and every
// read that failed. Memory that still answers all of it the same way is what the observation saw.
//
// Thread contract: plain values. Private memory: at most kMostBytes.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "vitrine/memory/physical_reader.h"

namespace vitrine::memory {

class Recording {
 public:
  // A value of 1, 2, 4 or 8 bytes, in the order in which they were read.
  struct Value {
    std::uint64_t place = 0;  // the address, and above kPlaceBits the logarithm of the size
    std::uint64_t value = 0;

    base::GuestPhysical at() const { return base::GuestPhysical(place & kPlaceMask); }
    unsigned size_log() const { return static_cast<unsigned>(place >> kPlaceBits); }
    friend bool operator==(const Value&, const Value&) = default;
  };
  // A value of which some bits do not count: of a page-table entry or a lock.
  struct Masked {
    Value value;  // with `ignored` bits clear
    std::uint64_t ignored = 0;
    friend bool operator==(const Masked&, const Masked&) = default;
  };
  struct Stretch {
    base::GuestPhysical at;
    std::uint32_t size = 0;
    std::uint32_t offset = 0;  // into bytes()
    friend bool operator==(const Stretch&, const Stretch&) = default;
  };
  struct Failure {
    base::GuestPhysical at;
    std::uint32_t size = 0;
    ReadStatus status = ReadStatus::failed;
    friend bool operator==(const Failure&, const Failure&) = default;
  };

  void clear() {
    count_ = 0;
    masked_.clear();
    stretches_.clear();
    failures_.clear();
    bytes_.clear();
    whole_ = true;
  }

  // As it is to be kept. REQUIRES: `at` is in RAM.
  template <Loadable T>
  [[gnu::always_inline]] static Value packed(base::GuestPhysical at, const T& value) {
    constexpr std::uint64_t kSizeLog = sizeof(T) == 1   ? 0
                                       : sizeof(T) == 2 ? 1
                                       : sizeof(T) == 4 ? 2
                                                        : 3;
    Value made{at.value | kSizeLog << kPlaceBits, 0};
    std::memcpy(&made.value, &value, sizeof(T));
    return made;
  }
  // REQUIRES: `at` is in RAM.
  template <Loadable T>
  [[gnu::always_inline]] void add(base::GuestPhysical at, const T& value) {
    room().front() = packed(at, value);
    ++count_;
  }
  // Where the next values go, at least one; the first `written` of them count once they are there.
  // Valid until something is added otherwise.
  [[gnu::always_inline]] std::span<Value> room() {
    if (count_ == values_.size()) [[unlikely]]
      make_room();
    return std::span(values_).subspan(count_);
  }
  void settle(std::size_t written) { count_ += written; }
  template <Loadable T>
  void add_masked(base::GuestPhysical at, const T& value, std::uint64_t ignored) {
    Value kept = packed(at, value);
    kept.value &= ~ignored;
    if (room(masked_, kMostMasked)) masked_.push_back({kept, ignored});
  }
  void add_bytes(base::GuestPhysical at, std::span<const std::byte> value) {
    if (value.empty() || !room(stretches_, kMostMasked)) return;
    if (value.size() > kMostBytes - bytes_.size()) {
      whole_ = false;
      return;
    }
    stretches_.push_back(
        {at, static_cast<std::uint32_t>(value.size()), static_cast<std::uint32_t>(bytes_.size())});
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void add_failure(base::GuestPhysical at, std::uint64_t size, ReadStatus status) {
    if (room(failures_, kMostMasked))
      failures_.push_back({at, static_cast<std::uint32_t>(size), status});
  }

  std::span<const Value> values() const { return std::span(values_).first(count_); }
  std::span<const Masked> masked() const { return masked_; }
  std::span<const Stretch> stretches() const { return stretches_; }
  std::span<const Failure> failures() const { return failures_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<const std::byte> bytes(const Stretch& stretch) const {
    return std::span(bytes_).subspan(stretch.offset, stretch.size);
  }
  std::size_t size() const {
    return count_ + masked_.size() + stretches_.size() + failures_.size();
  }
  // False where a forged guest had more read than is kept: then nothing follows from the rest.
  bool whole() const { return whole_; }

  // Whether both read the very same values at the very same places in the same order.
  friend bool operator==(const Recording& one, const Recording& other) {
    return one.whole_ == other.whole_ && std::ranges::equal(one.values(), other.values()) &&
           one.masked_ == other.masked_ && one.stretches_ == other.stretches_ &&
           one.failures_ == other.failures_ && one.bytes_ == other.bytes_;
  }

 private:
  static constexpr unsigned kPlaceBits = 60;  // physical addresses have 52
  static constexpr std::uint64_t kPlaceMask = (std::uint64_t{1} << kPlaceBits) - 1;
  static constexpr std::size_t kMostValues = 16U << 20;
  static constexpr std::size_t kMostMasked = 4U << 20;
  static constexpr std::size_t kMostBytes = 512U << 20;

  // Beyond what is kept, the last values are overwritten.
  void make_room() {
    constexpr std::size_t kStep = 1024;
    if (values_.size() < kMostValues) {
      values_.resize(std::min(kMostValues, std::max(kStep, values_.size() * 2)));
    } else {
      whole_ = false;
      count_ -= kStep;
    }
  }
  template <class List>
  bool room(const List& list, std::size_t most) {
    if (list.size() < most) return true;
    whole_ = false;
    return false;
  }

  std::vector<Value> values_;  // of which `count_` count; the others are room
  std::size_t count_ = 0;
  std::vector<Masked> masked_;
  std::vector<Stretch> stretches_;
  std::vector<Failure> failures_;
  std::vector<std::byte> bytes_;
  bool whole_ = true;
};

namespace detail {

// `cost` is kept apart so that it stays in registers.
template <class T, PhysicalReader Reader>
[[gnu::always_inline]] inline bool still(const Recording::Value& kept, std::uint64_t ignored,
                                         Reader& reader, Cost& cost) {
  T now{};
  if (const std::byte* from = reader.in_place(kept.at(), sizeof(T)); from != nullptr) {
    ++cost.reads;
    cost.bytes += sizeof(T);
    if (!load(from, now)) return false;
  } else if (!reader.load(kept.at(), now)) {
    return false;
  }
  return (std::uint64_t{now} & ~ignored) == kept.value;
}

template <PhysicalReader Reader>
[[gnu::always_inline]] inline bool still(const Recording::Value& kept, std::uint64_t ignored,
                                         Reader& reader, Cost& cost) {
  switch (kept.size_log()) {
    case 0:
      return still<std::uint8_t>(kept, ignored, reader, cost);
    case 1:
      return still<std::uint16_t>(kept, ignored, reader, cost);
    case 2:
      return still<std::uint32_t>(kept, ignored, reader, cost);
    default:
      return still<std::uint64_t>(kept, ignored, reader, cost);
  }
}

template <class List, PhysicalReader Reader>
bool all_still(const List& list, Reader& reader) {
  Cost cost;
  const bool all = std::ranges::all_of(list, [&](const auto& kept) {
    if constexpr (requires { kept.ignored; })
      return still(kept.value, kept.ignored, reader, cost);
    else
      return still(kept, 0, reader, cost);
  });
  reader.charge(cost);
  return all;
}

}  // namespace detail

// Whether reading everything again gives the very same answers; ends at the first that differs.
// What was masked, locks among it, comes last. The reader's observation has begun anew.
template <PhysicalReader Reader>
bool holds(const Recording& recording, Reader& reader) {
  if (!recording.whole() || !detail::all_still(recording.values(), reader)) return false;
  std::vector<std::byte> bytes;
  for (const Recording::Stretch& stretch : recording.stretches()) {
    bytes.resize(stretch.size);
    if (!reader.load_bytes(stretch.at, bytes) ||
        !std::ranges::equal(bytes, recording.bytes(stretch)))
      return false;
  }
  for (const Recording::Failure& failure : recording.failures()) {
    bytes.resize(failure.size);
    if (reader.load_bytes(failure.at, bytes) || reader.status() != failure.status) return false;
  }
  return detail::all_still(recording.masked(), reader);
}

}  // namespace vitrine::memory
