// The log of a synthetic guest, kept as the kernel's writers keep it (kernel/printk/
// printk_ringbuffer.c): the oldest records make room for new ones, and a text that would cross the
// end of the ring is put at its beginning.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

struct LogRecord {
  std::string text;
  std::uint8_t level = 6;
  std::uint8_t facility = 0;
  std::uint64_t time_ns = 0;
  std::uint32_t caller = 0;
  std::string subsystem = {};
  std::string device = {};
};

// What the two highest bits of a descriptor say.
enum class LogState : std::uint8_t { reserved, committed, finalized, reusable };

class KernelLog {
 public:
  // A ring of 2^count_bits records and 2^size_bits bytes of text. `prb` leads to it.
  KernelLog(Kernel& kernel, unsigned count_bits, unsigned size_bits);

  void add(const LogRecord& record, LogState state = LogState::finalized);
  // The same, its text having found no room.
  void add_lost(const LogRecord& record);

  // Records that are there.
  std::size_t size() const { return kept_.size(); }
  GuestVirtual ring() const { return ring_; }
  // Of the record that was added last.
  GuestVirtual descriptor() const { return descriptor(next_id_ - 1); }
  GuestVirtual info() const { return info(next_id_ - 1); }
  // Where its text's id is, before the text. REQUIRES: it has a text.
  GuestVirtual block() const {
    return data_ + kernel_.value(descriptor(), "prb_desc", "text_blk_lpos.begin") % size_;
  }

 private:
  struct Kept {
    std::uint64_t id = 0;
    std::uint64_t begin = 0;  // position of its text
  };

  GuestVirtual descriptor(std::uint64_t id) const;
  GuestVirtual info(std::uint64_t id) const;
  void set_state(std::uint64_t id, LogState state);
  void drop_oldest();
  void put_info(std::uint64_t id, const LogRecord& record);
  void put_text(std::uint64_t id, const std::string& text);
  void put_place(std::uint64_t id, std::uint64_t begin, std::uint64_t next);
  void publish(std::uint64_t id, LogState state);

  Kernel& kernel_;
  std::uint64_t count_;
  std::uint64_t size_;
  GuestVirtual ring_, descriptors_, infos_, data_;
  std::uint64_t next_id_;
  std::uint64_t position_;  // where the next text begins, wraps included
  std::uint64_t seq_ = 0;
  std::deque<Kept> kept_;
};

}  // namespace vitrine::synthetic
