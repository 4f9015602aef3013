#include "vitrine/kernel/locate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "vitrine/kernel/candidate.h"
#include "vitrine/kernel/learn.h"
#include "vitrine/kernel/liveness.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::fail;

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

// Of several kernels in memory, the one that lives.
base::Result<Kernel> the_living(std::vector<Kernel> kernels, const LocateOptions& options,
                                memory::PhysicalMemory& memory) {
  if (kernels.size() == 1) return std::move(kernels.front());
  const std::vector<bool> alive = show_life(kernels, memory, options.patience);
  if (std::ranges::count(alive, true) == 1)
    return std::move(
        kernels[static_cast<std::size_t>(std::ranges::find(alive, true) - alive.begin())]);
  std::string list;
  for (const Kernel& kernel : kernels)
    list += (list.empty() ? "" : ", ") + kernel.release + " at " + base::to_string(kernel.note);
  return fail(
      Code::ambiguous,
      "several kernels are in the VM's memory and none can be told to be the running one: " + list,
      "make the VM's QMP socket reachable, so that its registers decide; or let a paused "
      "guest run");
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
    kernel->anchored = runs;
    kernels.push_back(std::move(*kernel));
    return !runs;
  };

  if (options.hint) {
    auto note = read_note(memory, *options.hint);
    if (note) consider(std::move(*note));
    if (!kernels.empty()) return std::move(kernels.front());
    rejected.reset();
  }
  scan_for_notes(memory, consider);
  if (kernels.empty()) return fail(nothing_found(options, rejected));
  if (kernels.back().anchored) return std::move(kernels.back());
  return the_living(std::move(kernels), options, memory);
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
