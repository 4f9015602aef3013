// The recording reader: wraps a plain one and keeps every value read with its place, page-table
// entries included, so that it can be told whether all of them still hold (recording.h), or kept as
// evidence.
//
// Thread contract: as the wrapped reader. Effect on the guest: that of the wrapped reader.
#pragma once

#include "vitrine/memory/recording.h"

namespace vitrine::memory {

template <PhysicalReader Plain>
class RecordingReader {
 public:
  // `plain` and `recording` outlive the reader.
  RecordingReader(Plain& plain, Recording& recording) : plain_(plain), recording_(recording) {}

  void begin() {
    plain_.begin();
    recording_.clear();
  }

  template <Loadable T>
  bool load(base::GuestPhysical at, T& to) {
    if (!plain_.load(at, to)) return failed(at, sizeof(T));
    if (!recording_.full()) recording_.add(at, to);
    return true;
  }

  template <Loadable T>
  bool load_ignoring(base::GuestPhysical at, T& to, std::uint64_t ignored) {
    if (plain_.load(at, to)) {
      if (ignored != kAllBits) recording_.add_masked(at, to, ignored);
      return true;
    }
    return ignored != kAllBits && failed(at, sizeof(T));
  }

  bool load_bytes(base::GuestPhysical at, std::span<std::byte> to) {
    if (!plain_.load_bytes(at, to)) return failed(at, to.size());
    recording_.add_bytes(at, to);
    return true;
  }

  void expect(base::GuestPhysical at, std::uint64_t size) { plain_.expect(at, size); }
  [[gnu::always_inline]] const std::byte* in_place(base::GuestPhysical at, std::uint64_t size) {
    return recording_.full() ? nullptr : plain_.in_place(at, size);
  }
  // Keeps what was loaded in place, some values for each call of in_place().
  template <Loadable T>
  [[gnu::always_inline]] void record(base::GuestPhysical at, const T& value) {
    recording_.add(at, value);
  }
  void charge(Cost loaded) { plain_.charge(loaded); }
  ReadStatus status() const { return plain_.status(); }
  Cost cost() const { return plain_.cost(); }

 private:
  bool failed(base::GuestPhysical at, std::uint64_t size) {
    recording_.add_failure(at, size, plain_.status());
    return false;
  }

  Plain& plain_;
  Recording& recording_;
};

}  // namespace vitrine::memory
