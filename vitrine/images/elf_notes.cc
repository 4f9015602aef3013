#include "vitrine/images/elf_notes.h"

#include <elf.h>

#include <array>

#include "vitrine/memory/prstatus.h"

namespace vitrine::images {
namespace {

constexpr std::size_t kNoteAlignment = 4;

}  // namespace

std::size_t append_note(Bytes& notes, std::string_view name, std::uint32_t type,
                        std::span<const std::byte> content) {
  Bytes header(sizeof(Elf64_Nhdr));
  header.put(0, static_cast<std::uint32_t>(name.size() + 1));
  header.put(4, static_cast<std::uint32_t>(content.size()));
  header.put(8, type);
  notes.append(header.span());
  notes.append(std::as_bytes(std::span(name.data(), name.size())));
  notes.append(std::array{std::byte{}});
  notes.align(kNoteAlignment);
  const std::size_t at = notes.size();
  notes.append(content);
  notes.align(kNoteAlignment);
  return at;
}

Notes make_notes(std::span<const memory::X86GeneralRegisters> processors,
                 std::string_view vmcoreinfo) {
  Notes notes;
  std::int32_t thread = 0;
  for (const memory::X86GeneralRegisters& processor : processors)
    append_note(notes.bytes, "CORE", NT_PRSTATUS, memory::make_prstatus(processor, ++thread));
  if (!vmcoreinfo.empty()) {
    notes.vmcoreinfo_offset =
        append_note(notes.bytes, "VMCOREINFO", 0,
                    std::as_bytes(std::span(vmcoreinfo.data(), vmcoreinfo.size())));
    notes.vmcoreinfo_size = vmcoreinfo.size();
  }
  return notes;
}

}  // namespace vitrine::images
