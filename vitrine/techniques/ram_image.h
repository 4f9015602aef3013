// A copy of a VM's RAM in an unnamed temporary file: the regions of its layout, one after the
// other.
//
// Thread contract: one thread writes, and others may read what was flushed. Effect on the guest:
// none. Private memory: what SparseWriter says, whatever the size of the VM.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/image_memory.h"
#include "vitrine/techniques/sparse_writer.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class RamImage {
 public:
  // Errors: as host::temporary_file, for the whole RAM.
  static base::Result<std::unique_ptr<RamImage>> create(const vmm::RamLayout& layout);

  // Begins a new copy, all zero, in the same windows.
  base::Result<void> begin() { return writer_.begin(size_); }

  SparseWriter& writer() { return writer_; }
  memory::ImageMemory& memory() { return *memory_; }
  std::uint64_t size() const { return size_; }

  // Where region `index` of the layout begins in the file.
  std::uint64_t offset(std::size_t index) const { return offsets_[index]; }

 private:
  RamImage(std::unique_ptr<memory::ImageMemory> memory, std::vector<std::uint64_t> offsets,
           std::uint64_t size)
      : memory_(std::move(memory)),
        writer_(memory_->file()),
        offsets_(std::move(offsets)),
        size_(size) {}

  std::unique_ptr<memory::ImageMemory> memory_;
  SparseWriter writer_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t size_;
};

// Whether a copy of the RAM can be taken at all: there is room for it in the folder for temporary
// files, and reading all of a shared RAM, which allocates what the guest never used of it, does not
// exhaust the host's memory. Errors: `unreadable`, `unsupported`, with the remedy.
base::Result<void> can_be_copied(const vmm::Machine& machine, const vmm::RamLayout& layout);

}  // namespace vitrine::techniques
