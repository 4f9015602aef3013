#include "vitrine/kernel/candidate.h"

#include <algorithm>
#include <array>
#include <string>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::fail;

constexpr std::uint64_t kKernelMap = 0xffff'ffff'8000'0000;  // __START_KERNEL_map
constexpr std::size_t kUtsLength = 65;
constexpr std::uint64_t kReleaseInUtsname = 2 * kUtsLength;  // new_utsname: sysname, nodename

base::Result<void> check_release(const Candidate& candidate, paging::WalkedMemory& kernel) {
  const auto names = candidate.note.content.symbol("init_uts_ns");
  const auto offset = candidate.note.content.offset("uts_namespace.name");
  if (!names || !offset) return fail(Code::inconsistent, "VMCOREINFO does not name init_uts_ns");
  std::array<std::byte, kUtsLength> text{};
  auto read = kernel.read(*names + *offset + kReleaseInUtsname, text);
  if (!read) return fail(read.error());
  const auto* chars = reinterpret_cast<const char*>(text.data());
  const std::string release(chars, std::find(chars, chars + text.size(), '\0'));
  if (release != candidate.note.content.release())
    return fail(Code::inconsistent, "init_uts_ns and VMCOREINFO name different releases");
  return {};
}

}  // namespace

base::Result<Candidate> examine(Note note, memory::PhysicalMemory& memory) {
  Candidate candidate;
  candidate.note = std::move(note);
  const Vmcoreinfo& info = candidate.note.content;
  const auto root = info.symbol("swapper_pg_dir");
  const auto text = info.symbol("_stext");
  const auto physical_base = info.number("phys_base");
  if (!root || !text || !physical_base)
    return fail(Code::unsupported, "VMCOREINFO of " + std::string(info.release()) +
                                       " does not name the x86-64 page tables");
  if (root->value < kKernelMap || text->value < kKernelMap)
    return fail(Code::unsupported,
                "the guest's kernel " + std::string(info.release()) + " is not 64-bit");
  candidate.physical_base = static_cast<std::uint64_t>(*physical_base);
  candidate.text = *text;
  candidate.text_physical = base::GuestPhysical(text->value - kKernelMap + candidate.physical_base);
  candidate.space.format = info.number("pgtable_l5_enabled").value_or(0) != 0
                               ? &paging::x86_64_five_level
                               : &paging::x86_64_four_level;
  candidate.space.root = base::GuestPhysical(root->value - kKernelMap + candidate.physical_base);

  paging::WalkedMemory kernel(*candidate.space.format, candidate.space.root, memory);
  auto translation = kernel.translate(candidate.text);
  if (!translation) return fail(translation.error());
  if (translation->address != candidate.text_physical)
    return fail(Code::inconsistent, "the page tables that VMCOREINFO names do not map the kernel");
  auto release = check_release(candidate, kernel);
  if (!release) return fail(release.error());
  return candidate;
}

bool mapped_by(const Candidate& candidate, const memory::X86Registers& registers,
               memory::PhysicalMemory& memory) {
  if (!registers.paging() || !registers.long_mode()) return false;
  const paging::Format& format =
      registers.five_level() ? paging::x86_64_five_level : paging::x86_64_four_level;
  if (&format != candidate.space.format) return false;
  constexpr std::uint64_t kUserRoot = 0x1000;  // PTI_USER_PGTABLE_MASK
  const std::uint64_t root = registers.cr3 & format.address_mask;
  return std::ranges::any_of(std::array{root, root & ~kUserRoot}, [&](std::uint64_t tables) {
    paging::WalkedMemory kernel(format, base::GuestPhysical(tables), memory);
    auto translation = kernel.translate(candidate.text);
    return translation && translation->address == candidate.text_physical;
  });
}

}  // namespace vitrine::kernel
