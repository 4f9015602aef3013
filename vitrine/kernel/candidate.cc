#include "vitrine/kernel/candidate.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::fail;

constexpr std::uint64_t kKernelMap = 0xffff'ffff'8000'0000;  // __START_KERNEL_map, x86-64
constexpr std::uint64_t kLowestKernel = std::uint64_t{1} << 63;
constexpr std::size_t kUtsLength = 65;
constexpr std::uint64_t kReleaseInUtsname = 2 * kUtsLength;  // new_utsname: sysname, nodename

// How far above its physical place the image is mapped.
struct ImageDistance {
  Architecture architecture;
  std::uint64_t bytes;
};

// Each architecture has a line of its own for it (arch/*/kernel/crash_core.c or vmcore_info.c).
std::optional<ImageDistance> image_distance(const Vmcoreinfo& info) {
  if (const auto physical_base = info.number("phys_base"))
    return ImageDistance{Architecture::x86_64,
                         kKernelMap - static_cast<std::uint64_t>(*physical_base)};
  if (const auto offset = info.number("kimage_voffset"))
    return ImageDistance{Architecture::arm64, static_cast<std::uint64_t>(*offset)};
  return std::nullopt;
}

// Null where it is none that is known.
const paging::Format* format_of(Architecture architecture, const Vmcoreinfo& info) {
  if (architecture == Architecture::x86_64)
    return info.number("pgtable_l5_enabled").value_or(0) != 0 ? &paging::x86_64_five_level
                                                              : &paging::x86_64_four_level;
  // What the processor was told, as far as it can do what the kernel is built for (VA_BITS).
  const auto ignored_bits = info.number("TCR_EL1_T1SZ");
  const auto bits = ignored_bits ? 64 - *ignored_bits : info.number("VA_BITS").value_or(0);
  return paging::arm64_format(info.page_size().value_or(0), static_cast<unsigned>(bits));
}

base::Result<void> check_release(const Candidate& candidate, paging::WalkedMemory& kernel) {
  const auto names = candidate.note.content.utsname();
  if (!names) return fail(Code::inconsistent, "VMCOREINFO does not name init_uts_ns");
  std::array<std::byte, kUtsLength> text{};
  auto read = kernel.read(*names + kReleaseInUtsname, text);
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
  const auto distance = image_distance(info);
  if (!root || !text || !distance)
    return fail(Code::unsupported, "VMCOREINFO of " + std::string(info.release()) +
                                       " does not name the page tables of x86-64 or arm64");
  if (root->value < kLowestKernel || text->value < kLowestKernel)
    return fail(Code::unsupported,
                "the guest's kernel " + std::string(info.release()) + " is not 64-bit");
  candidate.architecture = distance->architecture;
  candidate.text = *text;
  candidate.text_physical = base::GuestPhysical(text->value - distance->bytes);
  candidate.space.format = format_of(candidate.architecture, info);
  if (candidate.space.format == nullptr)
    return fail(Code::unsupported, "VMCOREINFO of " + std::string(info.release()) +
                                       " names a size of pages or addresses that is not known");
  candidate.space.root = base::GuestPhysical(root->value - distance->bytes);

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
  const std::uint64_t root = registers.cr3 & format.root_mask;
  return std::ranges::any_of(std::array{root, root & ~kUserRoot}, [&](std::uint64_t tables) {
    paging::WalkedMemory kernel(format, base::GuestPhysical(tables), memory);
    auto translation = kernel.translate(candidate.text);
    return translation && translation->address == candidate.text_physical;
  });
}

}  // namespace vitrine::kernel
