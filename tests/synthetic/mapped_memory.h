// The memory of a synthetic guest with the power of in-place reads: each RAM range is mapped
// read-only into this process. Holes and failing pages raise SIGBUS there, as the pages of a VMM's
// RAM do that went away, so reading them needs memory::FaultRecovery.
//
// Thread contract: one thread at a time builds; others may load from the windows meanwhile.
#pragma once

#include <span>
#include <vector>

#include "tests/synthetic/memory.h"

namespace vitrine::synthetic {

class MappedMemory : public Memory, public memory::Windows {
 public:
  explicit MappedMemory(std::vector<Range> ram);
  ~MappedMemory() override;

  std::span<const memory::Window> windows() const override { return windows_; }
  // How often a page of the windows was mapped anew.
  std::uint64_t remapped() const { return remapped_; }

 private:
  void frames_changed(std::uint64_t first, std::uint64_t count) override;

  base::FileDescriptor empty_file_;  // a mapping of it lies beyond its end: every access faults
  std::vector<memory::Window> windows_;
  std::uint64_t remapped_ = 0;
};

}  // namespace vitrine::synthetic
