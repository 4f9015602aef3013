// An ELF core file as a damaged or forged one may be.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz/fuzzer.h"
#include "vitrine/memory/elf_core.h"

VITRINE_FUZZER(elf_core) {
  using namespace vitrine::memory;
  static const int file = memfd_create("core", 0);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) < 0) return 0;
  const auto core = read_elf_core(file);
  if (!core) return 0;
  // What was accepted must hold together.
  std::uint64_t free_from = 0;
  for (const ImageExtent& extent : core->extents) {
    if (extent.range.size == 0 || extent.range.start.value < free_from ||
        extent.range.end() < extent.range.start)
      std::abort();
    free_from = extent.range.end().value;
  }
  std::uint64_t note_bytes = 0;
  for (const ElfNote& note : core->notes) note_bytes += note.content.size();
  if (note_bytes > size * core->notes.size()) std::abort();
  // An image of a size that an address space has room for can be mapped.
  if (free_from < std::uint64_t{1} << 32 && core->extents.size() < 1000 &&
      !ImageMemory::create(vitrine::base::FileDescriptor(dup(file)), core->extents))
    std::abort();
  return 0;
}
