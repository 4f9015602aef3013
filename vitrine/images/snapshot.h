// Writes a guest's memory as an image: goes through RAM once, in ascending order, leaves out what
// need not be saved, and gives the rest to the writer of the format.
//
// Thread contract: one thread at a time. Effect on the guest: none of its own; see the technique.
// Private memory: some MiB and what the writer needs, whatever the guest's size.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/images/image_writer.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/page_changes.h"

namespace vitrine::images {

// How far a snapshot is, in bytes of the guest's RAM.
struct SnapshotProgress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  bool finishing = false;  // all of RAM is done; the image is completed and hashed
};

// What an incremental image builds on.
struct Since {
  std::string sha256;                      // of that image
  memory::PageChanges* changes = nullptr;  // since that image was taken
};

struct SnapshotRequest {
  Format format = Format::raw;
  Omissions omissions;
  std::vector<memory::X86GeneralRegisters> processors;         // empty: the image has none
  std::function<void(const SnapshotProgress&)> progress = {};  // called some times a second at most
  std::optional<Since> since = {};                             // only what changed is stored
};

struct SnapshotReport {
  std::uint64_t ram_bytes = 0;        // the guest's RAM
  std::uint64_t size = 0;             // of the image, bytes, holes counted
  std::uint64_t allocated_bytes = 0;  // what it takes on the disk
  std::string sha256;                 // 64 hex digits
  PageCounts pages;
  std::optional<base::Error> unreadable;  // why a page could not be read, of the first such page
};

// Writes the image to `file`, which the caller publishes. Errors: those of FrameUses where pages
// are to be left out by their use, of PageChanges where only what changed is stored, of make_writer
// and of OutputFile.
base::Result<SnapshotReport> write_snapshot(const kernel::Kernel& kernel,
                                            memory::PhysicalMemory& memory,
                                            const SnapshotRequest& request, OutputFile& file);

// The same of memory that is described already, as an image describes it. The description's
// processors and omissions count, not the request's. Error `invalid` where pages are to be left out
// by their use.
base::Result<SnapshotReport> write_image(const GuestDescription& guest,
                                         memory::PhysicalMemory& memory,
                                         const SnapshotRequest& request, OutputFile& file);

}  // namespace vitrine::images
