// The notes of a core file, which dumps in the ELF and kdump formats both carry: one NT_PRSTATUS
// per vCPU, with its registers, and VMCOREINFO (System V ABI, "Note Section"; Linux,
// include/linux/elfcore.h and include/linux/crash_core.h).
//
// Thread contract: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vitrine/images/bytes.h"
#include "vitrine/memory/registers.h"

namespace vitrine::images {

// Appends a note; returns where its content begins.
std::size_t append_note(Bytes& notes, std::string_view name, std::uint32_t type,
                        std::span<const std::byte> content);

struct Notes {
  Bytes bytes;
  std::size_t vmcoreinfo_offset = 0;  // of the text, within bytes
  std::size_t vmcoreinfo_size = 0;
};

Notes make_notes(std::span<const memory::X86GeneralRegisters> processors,
                 std::string_view vmcoreinfo);

}  // namespace vitrine::images
