#include "vitrine/images/elf_notes.h"

#include <elf.h>

#include <array>

namespace vitrine::images {
namespace {

constexpr std::size_t kNoteAlignment = 4;
// struct elf_prstatus of x86-64 (include/uapi/linux/elfcore.h): where its parts are.
constexpr std::size_t kPrstatusBytes = 336;
constexpr std::size_t kPrstatusPid = 32;
constexpr std::size_t kPrstatusRegisters = 112;

// Returns where the content begins.
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

// In the order of struct user_regs_struct (arch/x86/include/asm/user_64.h).
std::array<std::uint64_t, 27> in_core_order(const memory::X86GeneralRegisters& r) {
  const std::uint64_t no_system_call = ~std::uint64_t{0};  // orig_rax
  return {r.r15,    r.r14, r.r13, r.r12,     r.rbp,     r.rbx, r.r11,          r.r10, r.r9,
          r.r8,     r.rax, r.rcx, r.rdx,     r.rsi,     r.rdi, no_system_call, r.rip, r.cs,
          r.rflags, r.rsp, r.ss,  r.fs_base, r.gs_base, r.ds,  r.es,           r.fs,  r.gs};
}

}  // namespace

Notes make_notes(std::span<const memory::X86GeneralRegisters> processors,
                 std::string_view vmcoreinfo) {
  Notes notes;
  std::int32_t thread = 0;
  for (const memory::X86GeneralRegisters& processor : processors) {
    Bytes status(kPrstatusBytes);
    // A debugger tells threads by this: the vCPU's number, counted from 1.
    status.put(kPrstatusPid, ++thread);
    std::size_t at = kPrstatusRegisters;
    for (const std::uint64_t value : in_core_order(processor)) {
      status.put(at, value);
      at += sizeof value;
    }
    append_note(notes.bytes, "CORE", NT_PRSTATUS, status.span());
  }
  if (!vmcoreinfo.empty()) {
    notes.vmcoreinfo_offset =
        append_note(notes.bytes, "VMCOREINFO", 0,
                    std::as_bytes(std::span(vmcoreinfo.data(), vmcoreinfo.size())));
    notes.vmcoreinfo_size = vmcoreinfo.size();
  }
  return notes;
}

}  // namespace vitrine::images
