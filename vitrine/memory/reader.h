// The reader that views are written over: loads in place from RAM that is mapped into this process,
// or from gathered copies, and keeps every value read with its place, page-table entries included,
// if asked, so that it can be told whether all of them still hold, or kept as evidence.
//
// One class for all of these rather than one for each: a load costs one branch, always the same
// one, more than it would if a view were compiled for its reader alone, and there is one view to
// compile, to step through and to profile.
//
// Thread contract: one thread at a time. Effect on the guest: that of the memory behind it.
#pragma once

#include <optional>
#include <vector>

#include "vitrine/memory/gather_reader.h"
#include "vitrine/memory/recording.h"
#include "vitrine/memory/window_reader.h"

namespace vitrine::memory {

class Reader {
 public:
  // In place; `windows` outlives the reader. REQUIRES: FaultRecovery is installed.
  explicit Reader(std::span<const Window> windows) : window_(windows) {}
  // From copies; `memory` outlives the reader.
  explicit Reader(PhysicalMemory& memory) : gather_(memory), simple_(false) {}

  // Keeps what is read from the next begin() on; nullptr: nothing. `recording` outlives the reader.
  void record_into(Recording* recording) {
    recording_ = recording;
    simple_ = recording == nullptr && !gather_;
  }
  Recording* recording() const { return recording_; }

  // Whether reading all of it again gives the very same answers: begins an observation of its own.
  bool still_reads(const Recording& recording);

  void begin();

  template <Loadable T>
  [[gnu::always_inline]] bool load(base::GuestPhysical at, T& to) {
    return simple_ ? window_.load(at, to) : load_apart(at, to, 0);
  }

  template <Loadable T>
  [[gnu::always_inline]] bool load_ignoring(base::GuestPhysical at, T& to, std::uint64_t ignored) {
    return simple_ ? window_.load(at, to) : load_apart(at, to, ignored);
  }

  bool load_bytes(base::GuestPhysical at, std::span<std::byte> to);

  void expect(base::GuestPhysical at, std::uint64_t size) {
    if (gather_) gather_->expect(at, size);
  }

  // As PhysicalReader says. What is loaded so is not recorded: see recording().
  [[gnu::always_inline]] const std::byte* in_place(base::GuestPhysical at, std::uint64_t size) {
    return !gather_ ? window_.in_place(at, size) : nullptr;
  }
  void charge(Cost loaded) { window_.charge(loaded); }

  // As the GatherReader's; what is read in place is read anew anyhow.
  void forget(Range piece) {
    if (gather_) gather_->forget(piece);
  }

  ReadStatus status() const { return gather_ ? gather_->status() : window_.status(); }
  Cost cost() const { return gather_ ? gather_->cost() : window_.cost(); }

  // As the GatherReader's functions of these names; nothing where memory is read in place.
  void prefetch(std::span<const Range> pieces);
  std::vector<Range> used() const;
  std::vector<Range> gathered() const;

 private:
  template <Loadable T>
  [[gnu::noinline]] bool load_apart(base::GuestPhysical at, T& to, std::uint64_t ignored) {
    const bool loaded = gather_ ? gather_->load(at, to) : window_.load(at, to);
    if (recording_ == nullptr || ignored == kAllBits) return loaded;
    if (!loaded)
      recording_->add_failure(at, sizeof(T), status());
    else if (ignored != 0)
      recording_->add_masked(at, to, ignored);
    else
      recording_->add(at, to);
    return loaded;
  }

  WindowReader window_{std::span<const Window>()};
  std::optional<GatherReader> gather_;
  Recording* recording_ = nullptr;
  bool simple_ = true;  // in place, and nothing is recorded
};

static_assert(PhysicalReader<Reader>);

}  // namespace vitrine::memory
