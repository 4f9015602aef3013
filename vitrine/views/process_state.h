// All that a debugger wants to know of one process besides its memory: its regions, and each
// thread's registers as they are in user mode.
//
// A thread that sleeps in the kernel has left them at the top of its kernel stack; one that runs in
// user mode has them in a processor, which only who can ask the VMM for them knows.
//
// Thread contract: one thread at a time. Cost: that of the process list with threads, and of the
// process's regions (regions.h) and files.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/registers.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/regions.h"

namespace vitrine::views {

struct ThreadState {
  std::int32_t id = 0;
  memory::X86GeneralRegisters registers;  // of user mode
  std::string unknown;                    // why they may not be these; empty: they are
};

// A file that a region shows.
struct RegionFile {
  std::size_t region = 0;  // its place among the regions
  std::string path;        // as the kernel's core dumps call it: " (deleted)" where it was
};

struct ProcessState {
  Process process;
  base::GuestPhysical tables;               // the root of its page tables
  std::uint32_t swap_areas = 0;             // of the guest: see paging::Format::swap_type_mask
  std::string arguments;                    // joined by blanks; empty where they are not in memory
  std::vector<std::byte> auxiliary_vector;  // as execve(2) laid it down; empty: unreadable
  std::vector<Region> regions;
  std::vector<RegionFile> files;
  std::vector<ThreadState> threads;   // its first thread first
  std::vector<std::string> warnings;  // what is missing and why
};

// `processors`: the vCPUs' registers at this moment; may be empty. Errors: `absent` where there is
// no such process, or it has no memory of its own; `inconsistent` where its regions can't be read;
// the member that is missing.
base::Result<ProcessState> read_process(const kernel::Kernel& kernel,
                                        memory::PhysicalMemory& memory, std::int64_t pid,
                                        std::span<const memory::X86GeneralRegisters> processors);

}  // namespace vitrine::views
