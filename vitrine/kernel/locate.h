// Finds the running kernel in a guest's physical memory and learns its symbols, types and address
// space, from nothing but what the kernel keeps there itself.
//
// A VMCOREINFO note names the page-table root and the symbol tables. It is believed only after
// cross-checks: the root must translate _stext to where the note says, the release in init_uts_ns
// must be the note's, and, where registers can be had, a vCPU's own page tables must map the same
// image. Several different kernels that pass are an error unless exactly one shows life (its
// jiffies advance), or an image of the memory names it; nothing is guessed.
//
// Thread contract: one thread at a time per memory. Effect on the guest: that of the memory.
// Cost: a scan of the populated pages (unless a hint leads straight to the note), some megabytes of
// tables read.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/kernel/recollection.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/memory/registers.h"

namespace vitrine::kernel {

struct LocateOptions {
  std::span<const memory::X86Registers> registers;  // of every vCPU; empty where none can be had
  std::optional<base::GuestPhysical> hint = {};     // where the note was the last time
  Recall recall = {};                               // what was kept of kernels seen before
  // What an image of the memory keeps beside it: the text of its VMCOREINFO, which leads straight
  // to the kernel, and the vCPUs' general registers, whose GS leads to a kernel's per-CPU data.
  std::string_view told = {};
  std::span<const memory::X86GeneralRegisters> processors = {};
  // Whether time passes in the memory: in an image no kernel shows life.
  bool lives = true;
  // How long one of several kernels may take to show life.
  std::chrono::milliseconds patience = std::chrono::seconds(2);
};

// Errors: `absent` no Linux kernel is there (with what the registers say the guest is doing),
// `unsupported` (32-bit, no BTF, no kallsyms in VMCOREINFO), `ambiguous` several live kernels,
// `inconsistent` a kernel that contradicts itself.
base::Result<Kernel> locate(memory::PhysicalMemory& memory, const LocateOptions& options);

// Whether the kernel that was located is still the one that runs: its note, release and page-table
// root are unchanged. A few reads; to be asked at every observation.
bool still_there(const Kernel& kernel, memory::PhysicalMemory& memory);

// Whether one of these vCPUs' page tables maps the kernel that was located.
bool runs_on(const Kernel& kernel, std::span<const memory::X86Registers> registers,
             memory::PhysicalMemory& memory);

}  // namespace vitrine::kernel
