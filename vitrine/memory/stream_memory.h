// Guest-physical memory read from a file that holds QEMU's migration stream, as `migrate` to a file
// and `virsh save` write it. The stream is read through once, and an index of its pages kept: they
// are then read where they stand, and nothing is unpacked.
//
// A stream names blocks of RAM, not where the guest sees them: that follows from the machine's type
// for its main memory. Memory that was plugged in later is left out, since nothing in this part of
// the stream says where it is.
//
// Thread contract: one thread at a time. Effect on the guest: none. Private memory: 8 bytes per
// page. Nothing in the file is believed: see migration_stream.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/migration_stream.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::memory {

// A part of a block of RAM, and where the guest sees it.
struct BlockPlace {
  std::size_t block = 0;     // its number in the stream
  std::uint64_t offset = 0;  // of the part within the block
  Range range;

  friend bool operator==(const BlockPlace&, const BlockPlace&) = default;
};

// Where QEMU's x86 machines put their main memory (hw/i386/pc_piix.c, pc_q35.c): below 4 GiB up to
// where devices begin, and the rest from 4 GiB on; sorted by address. Empty where no block can be
// the main memory.
std::vector<BlockPlace> place_blocks(std::span<const MigrationStream::Block> blocks,
                                     std::string_view machine);

class StreamMemory final : public PhysicalMemory {
 public:
  // Reads the stream that begins at `start` of `file`. Errors: as MigrationStream, `inconsistent`
  // where it ends before all of the RAM, `unsupported` where its blocks cannot be placed, pread's.
  static base::Result<std::unique_ptr<StreamMemory>> create(base::FileDescriptor file,
                                                            std::uint64_t start);

  using PhysicalMemory::read;
  void read(std::span<ReadRequest> requests) override;
  std::span<const Range> ram() const override { return ram_; }
  std::vector<Range> populated(Range within) override;

  const std::string& machine() const { return machine_; }
  // Names of the blocks that are no part of ram(), e.g. firmware and video memory.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  class Index;

  explicit StreamMemory(base::FileDescriptor file) : file_(std::move(file)) {}

  base::Result<void> index(std::uint64_t start);
  ReadStatus load(base::GuestPhysical at, std::span<std::byte> into) const;
  // Where in the file the page at `at` begins; 0: it is all zero. Null outside of ram().
  const std::uint64_t* page(base::GuestPhysical at) const;

  base::FileDescriptor file_;
  std::vector<Range> ram_;
  std::vector<std::vector<std::uint64_t>> pages_;  // by range of ram_
  std::string machine_;
  std::vector<std::string> left_out_;
};

}  // namespace vitrine::memory
