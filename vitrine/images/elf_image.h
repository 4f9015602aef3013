// An image as an ELF core of the whole machine, as /proc/vmcore and QEMU's dump-guest-memory make
// it: crash, gdb and drgn open it. p_paddr is the guest-physical address, p_vaddr where the guest's
// kernel maps it; another segment shows the kernel image at its own addresses. What was never
// populated or is left out is a hole in the file and reads as zeros.
//
// An incremental image is laid out the same, says in another note, at its end, which pages it holds
// (incremental.h), and has a type of its own.
//
// Thread contract: one thread at a time.
#pragma once

#include <optional>

#include "vitrine/images/bytes.h"
#include "vitrine/images/image_writer.h"
#include "vitrine/images/incremental.h"
#include "vitrine/images/sequential_output.h"

namespace vitrine::images {

class ElfImage final : public ImageWriter {
 public:
  ElfImage(const GuestDescription& guest, OutputFile& file);

  base::Result<void> begin() override;
  base::Result<void> store(base::GuestPhysical at, std::span<const std::byte> bytes) override;
  base::Result<void> store_zeros(memory::Range range) override { return note_held(range); }
  base::Result<void> leave_out(memory::Range range) override { return note_held(range); }
  base::Result<std::string> finish() override;
  std::uint64_t size() const override { return output_.end(); }

 private:
  struct Segment {
    memory::Range range;
    base::GuestVirtual address;
    std::uint64_t offset = 0;      // in the file
    std::uint64_t first_page = 0;  // its number in RAM
  };

  void lay_out();
  base::Result<const Segment*> find(memory::Range range) const;
  base::Result<void> note_held(memory::Range range);
  Bytes incremental_notes() const;

  const GuestDescription& guest_;
  SequentialOutput output_;
  Bytes notes_;
  std::uint64_t notes_offset_ = 0;
  std::vector<Segment> ram_;       // in the order of guest_.ram
  std::optional<Segment> kernel_;  // the kernel image, within one of the above
  std::uint64_t end_ = 0;          // of the RAM in the file
  std::optional<Incremental> incremental_;
};

}  // namespace vitrine::images
