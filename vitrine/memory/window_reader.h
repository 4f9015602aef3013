// The plain reader of RAM that is mapped into this process: each load is one machine instruction
// on the guest's own memory.
//
// Thread contract: one thread at a time per reader; several readers may share the windows.
// Effect on the guest: none; a load of a page that is not populated fails and leaves it so.
#pragma once

#include <span>

#include "vitrine/memory/physical_reader.h"

namespace vitrine::memory {

class WindowReader {
 public:
  // `windows` outlives the reader. REQUIRES: FaultRecovery is installed.
  explicit WindowReader(std::span<const Window> windows) : windows_(windows) {
    for (const Window& window : windows_)
      if (window.range.size > largest_.range.size) largest_ = window;
  }

  void begin() { cost_ = {}; }

  template <Loadable T>
  [[gnu::always_inline]] bool load(base::GuestPhysical at, T& to) {
    const std::byte* from = in_place(at, sizeof(T));
    if (from == nullptr) [[unlikely]]
      return false;
    ++cost_.reads;
    cost_.bytes += sizeof(T);
    if (memory::load(from, to)) [[likely]]
      return true;
    status_ = ReadStatus::not_populated;
    return false;
  }

  template <Loadable T>
  [[gnu::always_inline]] bool load_ignoring(base::GuestPhysical at, T& to,
                                            std::uint64_t /*ignored*/) {
    return load(at, to);
  }

  bool load_bytes(base::GuestPhysical at, std::span<std::byte> to) {
    const std::byte* from = find(at, to.size());
    if (from == nullptr) return false;
    ++cost_.reads;
    cost_.bytes += to.size();
    if (memory::load_bytes(from, to)) return true;
    status_ = ReadStatus::not_populated;
    return false;
  }

  void expect(base::GuestPhysical, std::uint64_t) {}

  [[gnu::always_inline]] const std::byte* in_place(base::GuestPhysical at, std::uint64_t size) {
    return largest_.range.contains(at, size) ? largest_.bytes + (at - largest_.range.start)
                                             : find(at, size);
  }
  void charge(Cost loaded) {
    cost_.reads += loaded.reads;
    cost_.bytes += loaded.bytes;
  }
  ReadStatus status() const { return status_; }
  Cost cost() const { return cost_; }

 private:
  [[gnu::cold]] const std::byte* find(base::GuestPhysical at, std::uint64_t size) {
    for (const Window& window : windows_)
      if (window.range.contains(at, size)) [[likely]]
        return window.bytes + (at - window.range.start);
    status_ = ReadStatus::outside_ram;
    return nullptr;
  }

  std::span<const Window> windows_;
  Window largest_;  // nearly all of the guest's RAM, as a rule
  Cost cost_;
  ReadStatus status_ = ReadStatus::ok;
};

}  // namespace vitrine::memory
