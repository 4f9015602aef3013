// A copy of a VM's RAM as the ELF core that QEMU's dump writes, in an unnamed temporary file.
//
// Thread contract: one thread at a time; what begin() returns fills the file from a thread of its
// own. Effect on the guest: none. Private memory: what SparseWriter says, whatever the size of the
// VM.
#pragma once

#include <memory>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/image_memory.h"
#include "vitrine/techniques/saved_registers.h"
#include "vitrine/techniques/sparse_writer.h"
#include "vitrine/techniques/stream_drain.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class CoreCopy final : public SavedRegisters {
 public:
  // Errors: as host::temporary_file, for the whole RAM.
  static base::Result<std::unique_ptr<CoreCopy>> create(const vmm::RamLayout& layout);

  // Empties the file and starts what fills it: whoever dumps writes into the drain's writer.
  base::Result<std::unique_ptr<StreamDrain>> begin();

  // Makes what was written the memory that is seen, once the drain has finished. Error:
  // `inconsistent` where it is no core of that layout.
  base::Result<void> show();

  // After show().
  memory::PhysicalMemory& memory() { return *memory_; }

  // Error: `absent` where the core holds none.
  base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() override;

 private:
  CoreCopy(vmm::RamLayout layout, base::FileDescriptor file)
      : layout_(std::move(layout)), file_(std::move(file)), writer_(file_.get()) {}

  vmm::RamLayout layout_;
  base::FileDescriptor file_;
  SparseWriter writer_;
  std::vector<memory::ImageExtent> extents_;
  std::unique_ptr<memory::ImageMemory> memory_;
  std::vector<memory::X86GeneralRegisters> registers_;
};

}  // namespace vitrine::techniques
