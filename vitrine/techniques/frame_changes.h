// Which pages of the guest changed between two copies of its VMM: those whose page frames differ.
//
// Thread contract: one thread at a time. Cost and effect: as host/frame_comparison.h.
#pragma once

#include <utility>

#include "vitrine/host/frame_comparison.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/memory/page_changes.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class FrameChanges final : public memory::PageChanges {
 public:
  FrameChanges(vmm::RamLayout layout, host::HeldCopy earlier, host::FrameComparison frames)
      : layout_(std::move(layout)), earlier_(std::move(earlier)), frames_(std::move(frames)) {}

  base::Result<void> compare(memory::Range range, std::span<std::uint8_t> same) override;

  // The answers hold as long as the earlier copy is there.
  base::Result<void> confirm() override { return earlier_.check(); }

 private:
  vmm::RamLayout layout_;
  host::HeldCopy earlier_;
  host::FrameComparison frames_;
};

}  // namespace vitrine::techniques
