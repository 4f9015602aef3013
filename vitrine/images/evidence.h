// What one observation read of a guest, with what is needed to answer it again: an evidence file.
// Some hundred kilobytes instead of an image: a record for who has to prove what was there, a bug
// report, and a test that needs no VM.
//
// The file (numbers little-endian): 16 bytes "VITRINE EVIDENCE", u32 version 1, u32 0, u64 length
// of the profile, u64 number of pieces, the SHA-256 of all that follows (32 bytes); the profile as
// CBOR (RFC 8949), whose texts keep every byte; for each piece its guest-physical address and its
// length (u64 each), sorted and disjoint; the bytes of all pieces.
//
// Thread contract: plain values; independent calls.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/output_file.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/recorded_memory.h"

namespace vitrine::images {

inline constexpr std::string_view kEvidenceMagic = "VITRINE EVIDENCE";

struct Evidence {
  // How it came about: "view", "host", "tool", "started", "technique", "atomic", "vm_name",
  // "vm_source". Where the file was made, not checked.
  std::map<std::string, std::string> about;
  // The kernel that was attached.
  std::string vmcoreinfo;  // the text of its note
  base::GuestPhysical note;
  bool anchored = false;
  paging::AddressSpace space;
  std::map<std::string, std::string> answers;  // what its tables were asked, see kernel/answers.h
  std::vector<memory::Range> ram;
  memory::SparseBytes bytes;

  std::string told(const std::string& what) const;
};

// What is to be kept of a kernel and of the memory that was recorded.
Evidence make_evidence(const kernel::Kernel& kernel, const memory::RecordingMemory& memory);

// Writes the file, which the caller publishes; returns the SHA-256 that stands in it. Errors: as
// OutputFile.
base::Result<std::string> write_evidence(const Evidence& evidence, OutputFile& file);

// Errors: `inconsistent` where the file is truncated, or was changed since; `unsupported` for
// another version; pread's.
base::Result<Evidence> read_evidence(int file);

// The kernel as it was attached; what its tables were not asked then, it does not know. `memory`
// outlives it. Error: `inconsistent`.
base::Result<kernel::Kernel> kernel_of(const Evidence& evidence, memory::PhysicalMemory& memory);

}  // namespace vitrine::images
