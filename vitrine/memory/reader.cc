#include "vitrine/memory/reader.h"

namespace vitrine::memory {

void Reader::begin() {
  if (gather_)
    gather_->begin();
  else
    window_.begin();
  if (recording_ != nullptr) recording_->clear();
}

bool Reader::still_reads(const Recording& recording) {
  if (gather_) {
    gather_->begin();
    return holds(recording, *gather_);
  }
  window_.begin();
  return holds(recording, window_);
}

bool Reader::load_bytes(base::GuestPhysical at, std::span<std::byte> to) {
  const bool loaded = gather_ ? gather_->load_bytes(at, to) : window_.load_bytes(at, to);
  if (recording_ == nullptr) return loaded;
  if (loaded)
    recording_->add_bytes(at, to);
  else
    recording_->add_failure(at, to.size(), status());
  return loaded;
}

void Reader::prefetch(std::span<const Range> pieces) {
  if (gather_) gather_->prefetch(pieces);
}

std::vector<Range> Reader::used() const { return gather_ ? gather_->used() : std::vector<Range>(); }

std::vector<Range> Reader::gathered() const {
  return gather_ ? gather_->gathered() : std::vector<Range>();
}

}  // namespace vitrine::memory
