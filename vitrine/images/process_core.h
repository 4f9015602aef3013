// One process's memory as an ELF core, as the kernel itself writes one when a process dies: gdb
// opens it, with the program and its libraries beside it where there are any.
// Source: fs/binfmt_elf.c, include/uapi/linux/elfcore.h; System V ABI, "Program Header".
//
// What the process never touched is a hole in the file and reads as zeros, as it would have for the
// process. A page of a file that the process has not looked at is left out, so that a debugger
// takes it from the file.
//
// Thread contract: one thread at a time. Effect on the guest: none of its own; see the technique.
// Private memory: some MiB, and the page tables of the process. Cost: its page tables are gone
// through twice, its pages read once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/output_file.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/memory/registers.h"
#include "vitrine/paging/format.h"

namespace vitrine::images {

struct CoreRegion {
  base::GuestVirtual start, end;
  bool readable = false, writable = false, executable = false;
  bool of_file = false;
};

struct CoreThread {
  std::int32_t id = 0;
  memory::X86GeneralRegisters registers;
};

struct CoreFile {
  base::GuestVirtual start, end;
  std::uint64_t page = 0;  // where in the file that is
  std::string path;
};

struct CoreDescription {
  const paging::Format* format = nullptr;
  base::GuestPhysical tables;       // the root of the process's page tables
  std::uint32_t swap_areas = 0;     // of the guest, see paging::Format::swap_type_mask
  std::vector<CoreRegion> regions;  // ascending, disjoint
  std::vector<CoreThread> threads;  // the one that a debugger shows first is the first
  std::vector<CoreFile> files;
  std::vector<std::byte> auxiliary_vector;
  std::string name;       // at most 15 bytes
  std::string arguments;  // joined by blanks
  std::int32_t pid = 0, parent = 0;
  std::uint32_t uid = 0, gid = 0;
  char state = 'S';  // as in ps
};

struct CoreProgress {
  std::uint64_t done = 0, total = 0;  // bytes of the process's resident memory
};

struct CoreReport {
  std::uint64_t size = 0;              // of the file, bytes, holes counted
  std::uint64_t allocated_bytes = 0;   // what it takes on the disk
  std::uint64_t mapped_bytes = 0;      // of all regions
  std::uint64_t resident_bytes = 0;    // of which are in the guest's memory
  std::uint64_t swapped_bytes = 0;     // missing: the guest keeps them elsewhere
  std::uint64_t unreadable_bytes = 0;  // missing: they should be in memory, but can't be read
  std::uint64_t segments = 0;
};

// Writes the core to `file`, which the caller publishes. Errors: those of OutputFile;
// `inconsistent` where the page tables claim more than the guest has memory for.
base::Result<CoreReport> write_process_core(
    const CoreDescription& process, memory::PhysicalMemory& memory,
    const std::function<void(const CoreProgress&)>& progress, OutputFile& file);

}  // namespace vitrine::images
