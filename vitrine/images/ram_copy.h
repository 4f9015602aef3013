// Goes through a guest's RAM once, in ascending order, decides what becomes of each page, and gives
// it to the writer of an image.
//
// Thread contract: one thread at a time. Effect on the guest: that of its memory's technique.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vitrine/images/frame_use.h"
#include "vitrine/images/image_writer.h"
#include "vitrine/images/snapshot.h"

namespace vitrine::images {

class RamCopy {
 public:
  // All outlive this object. `uses`: null where no page is left out by its use.
  RamCopy(memory::PhysicalMemory& memory, const SnapshotRequest& request, ImageWriter& writer,
          FrameUses* uses, SnapshotReport& report);

  // Errors: those of the writer, and of what tells which pages changed.
  base::Result<void> run();

 private:
  // What becomes of one page.
  enum class Fate : std::uint8_t { store, zeros, leave_out, keep };

  base::Result<void> piece(memory::Range range);
  base::Result<void> keep_unchanged(memory::Range piece, std::vector<memory::Range>& populated);
  void leave_out_unused(memory::Range piece, std::vector<memory::Range>& populated);
  void drop_settled(memory::Range piece, std::vector<memory::Range>& populated) const;
  void read(memory::Range piece, memory::Range part);
  void settle(memory::Range piece, base::GuestPhysical at, memory::ReadStatus status);
  base::Result<void> write(memory::Range piece);
  void tell(bool finishing);

  memory::PhysicalMemory& memory_;
  const SnapshotRequest& request_;
  ImageWriter& writer_;
  FrameUses* uses_;
  SnapshotReport& report_;
  // Of one piece:
  std::vector<std::byte> buffer_;
  std::vector<Fate> fates_;
  std::vector<FrameUse> frame_uses_;
  std::vector<std::uint8_t> same_;
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace vitrine::images
