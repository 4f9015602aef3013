#include "vitrine/kernel/learn.h"

#include <array>
#include <cstring>

#include "vitrine/kernel/recollection.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::fail;

base::Result<std::uint64_t> read_word(memory::VirtualMemory& kernel, base::GuestVirtual at) {
  std::array<std::byte, 8> bytes{};
  auto read = kernel.read(at, bytes);
  if (!read) return fail(read.error());
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// The kernel points to its own note; a note that some process planted is pointed to by nobody.
base::Result<void> confirm_note(const Candidate& candidate, const SymbolLookup& symbols,
                                paging::WalkedMemory& kernel) {
  const auto pointer = symbols.find("vmcoreinfo_note");
  if (!pointer) return {};
  auto note = read_word(kernel, *pointer);
  if (!note) return fail(note.error());
  auto translation = kernel.translate(base::GuestVirtual(*note));
  if (translation && translation->address == candidate.note.at) return {};
  return fail(Code::inconsistent,
              "the VMCOREINFO note at " + base::to_string(candidate.note.at) +
                  " is not the one that the kernel points to: a copy, or planted by a process");
}

// The direct map of x86-64. The variable exists where the kernel randomises the place; otherwise it
// is fixed (Documentation/arch/x86/x86_64/mm.rst).
paging::LinearMap x86_direct_map(const Kernel& kernel, paging::WalkedMemory& walked,
                                 std::span<const memory::Range> ram) {
  std::uint64_t start = kernel.space.format == &paging::x86_64_five_level ? 0xff11'0000'0000'0000
                                                                          : 0xffff'8880'0000'0000;
  if (const auto variable = kernel.symbols.find("page_offset_base"))
    if (const auto value = read_word(walked, *variable)) start = *value;
  return {base::GuestVirtual(start), ram.back().end().value, base::GuestPhysical(0)};
}

// That of arm64, its linear map: the lower half of the kernel's addresses (PAGE_OFFSET and
// PAGE_END, arch/arm64/include/asm/memory.h), at a random distance from RAM. Any object in it that
// the note names tells the distance: the array of memory sections lies in the linear map where
// memory is sparse, as in every distribution's kernel. Size 0 where none is named.
paging::LinearMap arm64_direct_map(const Kernel& kernel, paging::WalkedMemory& walked,
                                   std::span<const memory::Range> ram) {
  const auto sections = kernel.vmcoreinfo.symbol("mem_section");
  if (!sections) return {};
  const auto found = walked.translate(*sections);
  if (!found) return {};
  const base::GuestPhysical first = ram.front().start;
  return {*sections - (found->address - first), ram.back().end() - first, first};
}

void find_linear_maps(Kernel& kernel, const Candidate& candidate, paging::WalkedMemory& walked,
                      memory::PhysicalMemory& memory) {
  const auto ram = memory.ram();
  if (ram.empty()) return;
  const paging::LinearMap direct = kernel.architecture == Architecture::x86_64
                                       ? x86_direct_map(kernel, walked, ram)
                                       : arm64_direct_map(kernel, walked, ram);
  if (direct.size != 0 && paging::verify(kernel.space, direct, ram, memory))
    kernel.space.direct = direct;
  const auto end = kernel.symbols.find("_end");
  if (!end || *end <= candidate.text || *end - candidate.text > (std::uint64_t{1} << 30)) return;
  const paging::LinearMap image{candidate.text, *end - candidate.text, candidate.text_physical};
  const memory::Range extent{image.physical, image.size};
  if (paging::verify(kernel.space, image, std::span(&extent, 1), memory))
    kernel.space.image = image;
}

void describe(Kernel& kernel, const Candidate& candidate) {
  const Vmcoreinfo& info = kernel.vmcoreinfo;
  using Value = decltype(Finding::value);
  const auto add = [&kernel](std::string fact, Value value, std::string found_by) {
    kernel.findings.push_back({std::move(fact), std::move(value), std::move(found_by)});
  };
  add("release", kernel.release,
      "VMCOREINFO at " + base::to_string(kernel.note) + ", same in init_uts_ns");
  add("build_id", kernel.build_id ? Value(*kernel.build_id) : Value(),
      kernel.build_id ? "VMCOREINFO" : "VMCOREINFO holds none that is valid");
  add("architecture", std::string(name(kernel.architecture)), "VMCOREINFO");
  add("paging", std::string(kernel.space.format->name), "VMCOREINFO, page tables translate _stext");
  add("page_table_root", base::to_string(kernel.space.root), "VMCOREINFO: swapper_pg_dir");
  add("kaslr_offset", base::to_hex(info.kernel_offset().value_or(0)), "VMCOREINFO");
  add("kernel_text", base::to_string(candidate.text), "VMCOREINFO, kallsyms and page tables agree");
  add("direct_map",
      kernel.space.direct.size != 0 ? Value(base::to_string(kernel.space.direct.start)) : Value(),
      kernel.space.direct.size != 0 ? "verified against the page tables"
                                    : "not verified: every address is walked");
  add("symbols", std::uint64_t{kernel.symbols.count()}, "kallsyms");
}

// The answers that this very kernel gave in an earlier run, if they were kept.
std::shared_ptr<Answers> recall_answers(const Candidate& candidate, paging::WalkedMemory& walked,
                                        const Recall& recall) {
  const auto build_id = candidate.note.content.build_id();
  if (!recall || !build_id) return nullptr;
  auto kept = recall(*build_id);
  if (!kept || kept->release != candidate.note.content.release() || kept->build_id != *build_id ||
      !confirms(*kept, walked, candidate.text))
    return nullptr;
  return std::make_shared<Answers>(std::move(kept->answers));
}

}  // namespace

base::Result<Kernel> learn(const Candidate& candidate, memory::PhysicalMemory& memory,
                           const Recall& recall) {
  paging::WalkedMemory walked(*candidate.space.format, candidate.space.root, memory);
  auto tables = std::make_shared<Tables>(memory, candidate.architecture, candidate.space,
                                         candidate.note.content);
  std::shared_ptr<Answers> answers = recall_answers(candidate, walked, recall);
  const bool recalled = answers != nullptr;
  if (!recalled) {
    if (auto symbols = tables->symbols(); !symbols) return fail(symbols.error());
    answers = std::make_shared<Answers>();
  }
  Kernel kernel{.architecture = candidate.architecture,
                .release = std::string(candidate.note.content.release()),
                .build_id = std::nullopt,
                .vmcoreinfo = candidate.note.content,
                .note = candidate.note.at,
                .symbols = SymbolLookup(tables, answers, candidate.text),
                .types = TypeLookup(tables, answers),
                .answers = answers,
                .space = candidate.space,
                .anchored = false,
                .findings = {}};
  if (auto confirmed = confirm_note(candidate, kernel.symbols, walked); !confirmed)
    return fail(confirmed.error());
  if (!recalled)
    if (auto types = tables->types(); !types) return fail(types.error());
  if (const auto id = kernel.vmcoreinfo.build_id()) kernel.build_id = std::string(*id);
  find_linear_maps(kernel, candidate, walked, memory);
  describe(kernel, candidate);
  return kernel;
}

}  // namespace vitrine::kernel
