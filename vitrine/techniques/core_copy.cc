#include "vitrine/techniques/core_copy.h"

#include <elf.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "vitrine/host/temporary_file.h"
#include "vitrine/memory/elf_core.h"
#include "vitrine/memory/prstatus.h"
#include "vitrine/techniques/monitor_copy.h"

namespace vitrine::techniques {
namespace {

using base::Code;

// The RAM of the layout within the core, which holds the memory of devices and firmware, too.
base::Result<std::vector<memory::ImageExtent>> clamp(const std::vector<memory::ImageExtent>& core,
                                                     const vmm::RamLayout& layout) {
  std::vector<memory::ImageExtent> clamped;
  std::uint64_t covered = 0;
  for (const vmm::RamRegion& region : layout.regions) {
    for (const memory::ImageExtent& extent : core) {
      const auto start = std::max(region.start, extent.range.start);
      const auto end = std::min(region.end(), extent.range.end());
      if (start >= end) continue;
      clamped.push_back({{start, end - start}, extent.offset + (start - extent.range.start)});
      covered += end - start;
    }
  }
  if (covered != layout.bytes())
    return base::fail(Code::inconsistent, "QEMU's dump lacks a part of the VM's RAM",
                      "look again if memory was plugged in or out meanwhile");
  return clamped;
}

// The registers in QEMU's dump.
std::vector<memory::X86GeneralRegisters> registers_in(const memory::ElfCore& core) {
  std::vector<memory::X86GeneralRegisters> list;
  for (const memory::ElfNote& note : core.notes)
    if (note.name == "CORE" && note.type == NT_PRSTATUS)
      if (const auto registers = memory::parse_prstatus(note.content)) list.push_back(*registers);
  return list;
}

}  // namespace

base::Result<std::unique_ptr<CoreCopy>> CoreCopy::create(const vmm::RamLayout& layout) {
  auto file = host::temporary_file(layout.bytes());
  if (!file) return base::fail(file.error());
  return std::unique_ptr<CoreCopy>(new CoreCopy(layout, std::move(*file)));
}

base::Result<std::unique_ptr<StreamDrain>> CoreCopy::begin() {
  if (auto begun = writer_.begin(0); !begun) return base::fail(begun.error());
  return StreamDrain::start(write_in_sequence(writer_));
}

base::Result<void> CoreCopy::show() {
  const auto core = memory::read_elf_core(file_.get());
  if (!core) return base::fail(core.error());
  registers_ = registers_in(*core);
  auto extents = clamp(core->extents, layout_);
  if (!extents) return base::fail(extents.error());
  if (memory_ != nullptr) {
    if (*extents == extents_) return {};
    return base::fail(Code::inconsistent, "the VM's RAM is no longer laid out as it was",
                      "look again: memory was plugged in or out");
  }
  base::FileDescriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return base::fail_errno(errno, "fcntl", "cannot open the memory image");
  auto memory = memory::ImageMemory::create(std::move(copy), *extents);
  if (!memory) return base::fail(memory.error());
  memory_ = std::move(*memory);
  extents_ = std::move(*extents);
  return {};
}

base::Result<std::vector<memory::X86GeneralRegisters>> CoreCopy::saved_registers() {
  if (registers_.empty()) return base::fail(Code::absent, "QEMU's dump holds no registers");
  return registers_;
}

}  // namespace vitrine::techniques
