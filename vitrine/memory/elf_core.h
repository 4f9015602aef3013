// ELF core files of a guest's memory, as QEMU's dump-guest-memory and kdump write them: each
// PT_LOAD holds the RAM at its physical address (System V ABI, AMD64; QEMU dump/dump.c).
//
// Thread contract: plain values; the reader is independent calls. Nothing in the file is believed:
// counts, sizes and sums are bounded.
#pragma once

#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/image_memory.h"

namespace vitrine::memory {

// An entry of a PT_NOTE, e.g. CORE/NT_PRSTATUS or VMCOREINFO/0, with its bytes as they are.
struct ElfNote {
  std::string name;
  std::uint32_t type = 0;
  std::vector<std::byte> content;
};

// Where the guest's kernel maps a range of RAM.
struct ElfSegment {
  Range range;
  base::GuestVirtual address;  // 0: not told
};

struct ElfCore {
  std::vector<ImageExtent> extents;  // sorted, disjoint; an overlap belongs to the lower segment
  std::vector<ElfSegment> segments;  // in the order of the file
  std::vector<ElfNote> notes;        // in the order of the file
  bool incremental = false;
};

// The type (e_type) of incremental images, which hold only the pages that changed: one of those
// left to operating systems, so that no other program takes such a file for a whole image.
inline constexpr std::uint16_t kElfIncremental = 0xfe56;

// Reads the headers and notes of `file`, which is open for reading and can be seeked. Errors:
// `unsupported` for what is no 64-bit little-endian x86 core file, `inconsistent` for a damaged
// one, pread's.
base::Result<ElfCore> read_elf_core(int file);

// The same where the file may be incremental, too.
base::Result<ElfCore> read_elf_image(int file);

}  // namespace vitrine::memory
