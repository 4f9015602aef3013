// The recording reader: wraps a plain one and keeps every range read with its value, page-table
// entries included, so that two observations can be compared byte for byte, or kept as evidence.
//
// Thread contract: as the wrapped reader. Effect on the guest: that of the wrapped reader.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "vitrine/memory/reader.h"

namespace vitrine::memory {

// Everything one observation read, in the order it was read.
class Recording {
 public:
  struct Piece {
    base::GuestPhysical at;
    std::uint32_t size = 0;
    std::uint32_t offset = 0;  // into bytes()
    friend bool operator==(const Piece&, const Piece&) = default;
  };

  void clear() {
    pieces_.clear();
    bytes_.clear();
  }
  void add(base::GuestPhysical at, std::span<const std::byte> value) {
    pieces_.push_back(
        {at, static_cast<std::uint32_t>(value.size()), static_cast<std::uint32_t>(bytes_.size())});
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }

  std::span<const Piece> pieces() const { return pieces_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  // Whether both read the very same values at the very same places in the same order.
  friend bool operator==(const Recording&, const Recording&) = default;

 private:
  std::vector<Piece> pieces_;
  std::vector<std::byte> bytes_;
};

template <PhysicalReader Plain>
class RecordingReader {
 public:
  // `plain` outlives the reader.
  explicit RecordingReader(Plain& plain) : plain_(plain) {}

  void begin() {
    plain_.begin();
    recording_.clear();
  }

  template <Loadable T>
  bool load(base::GuestPhysical at, T& to) {
    if (!plain_.load(at, to)) return false;
    recording_.add(at, std::as_bytes(std::span(&to, 1)));
    return true;
  }

  bool load_bytes(base::GuestPhysical at, std::span<std::byte> to) {
    if (!plain_.load_bytes(at, to)) return false;
    recording_.add(at, to);
    return true;
  }

  void expect(base::GuestPhysical at, std::uint64_t size) { plain_.expect(at, size); }
  // Nothing may be read past the record.
  const std::byte* in_place(base::GuestPhysical, std::uint64_t) { return nullptr; }
  void charge(Cost) {}
  ReadStatus status() const { return plain_.status(); }
  Cost cost() const { return plain_.cost(); }

  const Recording& recording() const { return recording_; }

 private:
  Plain& plain_;
  Recording recording_;
};

}  // namespace vitrine::memory
