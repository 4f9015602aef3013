#include "vitrine/kernel/locate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string>

#include "vitrine/kernel/candidate.h"
#include "vitrine/kernel/learn.h"
#include "vitrine/kernel/liveness.h"
#include "vitrine/kernel/tables.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kMaxCpus = 8192;

// What the vCPUs' modes say about a guest in which no kernel was found.
base::Error nothing_found(const LocateOptions& options,
                          const std::optional<base::Error>& rejected) {
  if (rejected) return *rejected;
  base::Error error{
      Code::absent, "no Linux kernel was found in the VM's memory",
      "vitrine reads Linux 5.10 or newer on x86-64 or arm64 whose memory is not encrypted; wait "
      "until the guest has booted"};
  if (options.registers.empty()) return error;
  const memory::X86Registers& cpu = options.registers.front();
  if (!cpu.paging())
    error.message +=
        ": its first CPU runs without paging, so the guest is still in its firmware or "
        "boot loader";
  else if (!cpu.long_mode())
    error = {Code::unsupported, "the guest runs in 32-bit mode",
             "vitrine reads 64-bit Linux guests only"};
  else
    error.message += ": its CPUs run 64-bit code that is not a Linux kernel with VMCOREINFO";
  return error;
}

bool anchored(const Candidate& candidate, const LocateOptions& options,
              memory::PhysicalMemory& memory) {
  return std::ranges::any_of(options.registers, [&](const memory::X86Registers& registers) {
    return mapped_by(candidate, registers, memory);
  });
}

// Whether a vCPU that is in the kernel uses this kernel's per-CPU data: its GS stands there.
bool serves(const Kernel& kernel, const LocateOptions& options, memory::PhysicalMemory& memory) {
  if (options.processors.empty()) return false;
  const auto offsets = kernel.symbols.find("__per_cpu_offset");
  if (!offsets) return false;
  std::vector<std::uint64_t> bases(std::min<std::size_t>(options.processors.size(), kMaxCpus));
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  if (!walked.read(*offsets, std::as_writable_bytes(std::span(bases)))) return false;
  return std::ranges::any_of(options.processors, [&](const memory::X86GeneralRegisters& cpu) {
    return (cpu.cs & 3) == 0 && cpu.gs_base != 0 &&
           std::ranges::find(bases, cpu.gs_base) != bases.end();
  });
}

// The only one of these kernels for which that is true; null where it is not exactly one.
Kernel* the_only(std::vector<Kernel>& kernels, const std::function<bool(const Kernel&)>& is) {
  if (std::ranges::count_if(kernels, is) != 1) return nullptr;
  return &*std::ranges::find_if(kernels, is);
}

// Of several kernels in memory, the one that the registers or the image name, or that lives.
base::Result<Kernel> choose(std::vector<Kernel> kernels, const LocateOptions& options,
                            memory::PhysicalMemory& memory) {
  if (kernels.size() == 1) return std::move(kernels.front());
  const auto by_registers = [](const Kernel& kernel) { return kernel.anchored; };
  if (Kernel* one = the_only(kernels, by_registers)) return std::move(*one);
  const auto by_image = [&options](const Kernel& kernel) {
    return options.told.starts_with(kernel.vmcoreinfo.text());
  };
  if (Kernel* one = the_only(kernels, by_image)) return std::move(*one);
  const std::vector<bool> alive = options.lives ? show_life(kernels, memory, options.patience)
                                                : std::vector<bool>(kernels.size());
  if (std::ranges::count(alive, true) == 1)
    return std::move(
        kernels[static_cast<std::size_t>(std::ranges::find(alive, true) - alive.begin())]);
  std::string list;
  for (const Kernel& kernel : kernels)
    list += (list.empty() ? "" : ", ") + kernel.release + " at " + base::to_string(kernel.note);
  return fail(
      Code::ambiguous,
      "several kernels are in the VM's memory and none can be told to be the running one: " + list,
      options.lives ? "make the VM's QMP socket reachable, so that its registers decide; or let a "
                      "paused guest run"
                    : "an image that holds the processors' registers or a VMCOREINFO note would "
                      "tell");
}

// Where the kernel that a VMCOREINFO describes keeps its own note, by its own pointer to it.
std::optional<Note> follow(std::string_view told, memory::PhysicalMemory& memory) {
  auto content = Vmcoreinfo::parse(told);
  if (!content) return std::nullopt;
  const auto candidate = examine(Note{{}, {}, std::move(*content)}, memory);
  if (!candidate) return std::nullopt;
  Tables tables(memory, candidate->architecture, candidate->space, candidate->note.content);
  const auto symbols = tables.symbols();
  if (!symbols) return std::nullopt;
  const auto pointer = (*symbols)->find("vmcoreinfo_note");
  paging::WalkedMemory walked(*candidate->space.format, candidate->space.root, memory);
  base::GuestVirtual note;
  if (!pointer || !walked.read(*pointer, std::as_writable_bytes(std::span(&note.value, 1))))
    return std::nullopt;
  const auto at = walked.translate(note);
  return at ? read_note(memory, at->address) : std::nullopt;
}

// A kernel whose page-table root was seen already is the same one: a second copy of its note.
bool known(const std::vector<Kernel>& kernels, const Candidate& candidate) {
  return std::ranges::any_of(
      kernels, [&](const Kernel& kernel) { return kernel.space.root == candidate.space.root; });
}

}  // namespace

base::Result<Kernel> locate(memory::PhysicalMemory& memory, const LocateOptions& options) {
  if (!options.registers.empty() &&
      std::ranges::none_of(options.registers, [](const memory::X86Registers& registers) {
        return registers.paging() && registers.long_mode();
      }))
    return fail(nothing_found(options, std::nullopt));

  std::optional<base::Error> rejected;
  std::vector<Kernel> kernels;
  const bool have_registers = !options.registers.empty();
  // False once the answer is certain, so that the scan can end.
  const auto consider = [&](Note note) {
    auto candidate = examine(std::move(note), memory);
    if (!candidate) {
      if (!rejected) rejected = candidate.error();
      return true;
    }
    if (known(kernels, *candidate)) return true;
    const bool runs = anchored(*candidate, options, memory);
    if (have_registers && !runs) {
      rejected = base::Error{Code::inconsistent,
                             "Linux " + std::string(candidate->note.content.release()) +
                                 " is in the VM's memory, but no CPU runs it: it is what a former "
                                 "boot left behind, or the guest is in its firmware",
                             "wait until the guest has booted"};
      return true;
    }
    auto kernel = learn(*candidate, memory, options.recall);
    if (!kernel) {
      rejected = kernel.error();
      return true;
    }
    kernel->anchored = runs || serves(*kernel, options, memory);
    kernels.push_back(std::move(*kernel));
    return !runs;
  };

  if (options.hint) {
    auto note = read_note(memory, *options.hint);
    if (note) consider(std::move(*note));
    if (!kernels.empty()) return std::move(kernels.front());
    rejected.reset();
  }
  if (!options.told.empty()) {
    if (auto note = follow(options.told, memory)) consider(std::move(*note));
    if (!kernels.empty()) return std::move(kernels.front());
    rejected.reset();
  }
  scan_for_notes(memory, consider);
  if (kernels.empty()) return fail(nothing_found(options, rejected));
  return choose(std::move(kernels), options, memory);
}

bool runs_on(const Kernel& kernel, std::span<const memory::X86Registers> registers,
             memory::PhysicalMemory& memory) {
  auto note = read_note(memory, kernel.note);
  if (!note) return false;
  const auto candidate = examine(std::move(*note), memory);
  return candidate && anchored(*candidate, {.registers = registers}, memory);
}

bool still_there(const Kernel& kernel, memory::PhysicalMemory& memory) {
  const auto note = read_note(memory, kernel.note);
  return note && note->content.text() == kernel.vmcoreinfo.text();
}

}  // namespace vitrine::kernel
