// QEMU's migration stream, as far as it carries RAM (migration/savevm.c, migration/ram.c): fed
// with bytes as they arrive, it says which page of which RAM block they hold, and stops where the
// RAM is over and the devices' state begins.
//
// Thread contract: one thread at a time per object. Nothing in the stream is believed: lengths,
// counts and offsets are bounded; the parser keeps less than a page and the list of blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "vitrine/base/result.h"

namespace vitrine::memory {

class MigrationStream {
 public:
  static constexpr std::size_t kPage = 4096;

  struct Block {
    std::string name;        // QEMU's "idstr", e.g. "pc.ram" or "0000:00:02.0/vga.vram"
    std::uint64_t size = 0;  // bytes in use
    friend bool operator==(const Block&, const Block&) = default;
  };

  // Who is told what arrives. An error ends the parsing and is returned by feed().
  class Receiver {
   public:
    virtual ~Receiver() = default;
    // The blocks, before any page of them.
    virtual base::Result<void> blocks(std::span<const Block> blocks) = 0;
    // A page of blocks()[block] at `offset`, which is within it. A page may come again.
    virtual base::Result<void> page(std::size_t block, std::uint64_t offset,
                                    std::span<const std::byte, kPage> content) = 0;
    virtual base::Result<void> zero_page(std::size_t block, std::uint64_t offset) = 0;
  };

  // `receiver` outlives the stream.
  explicit MigrationStream(Receiver& receiver);

  // Takes the next bytes of the stream; what follows the RAM is ignored. Errors: `inconsistent`
  // for a stream that cannot be right, `unsupported` for one that carries what this parser does not
  // know (compressed pages, disks); the receiver's. After an error every call fails.
  base::Result<void> feed(std::span<const std::byte> bytes);

  // Whether all of the RAM has arrived.
  bool complete() const { return complete_; }

  // How many bytes of the stream were taken; while a page is told, up to its end.
  std::uint64_t consumed() const { return consumed_; }

  // The type of the machine, e.g. "pc-q35-7.2"; empty where the stream does not tell.
  const std::string& machine() const { return machine_; }

 private:
  using Bytes = std::span<const std::byte>;
  using Step = base::Result<void> (MigrationStream::*)(Bytes);

  // Calls `step` with the next `size` bytes, which are at most a page.
  base::Result<void> expect(std::size_t size, Step step);
  base::Result<void> expect_name(std::uint64_t length, Step step);
  base::Result<void> next_item();
  base::Result<void> next_ram_record();
  base::Result<void> begin_page();

  base::Result<void> on_file_header(Bytes bytes);
  base::Result<void> on_item(Bytes bytes);
  base::Result<void> on_configuration_length(Bytes bytes);
  base::Result<void> on_configuration_name(Bytes bytes);
  base::Result<void> on_subsection_length(Bytes bytes);
  base::Result<void> on_subsection_name(Bytes bytes);
  base::Result<void> on_page_bits(Bytes bytes);
  base::Result<void> on_capability_count(Bytes bytes);
  base::Result<void> on_capability_length(Bytes bytes);
  base::Result<void> on_capability_name(Bytes bytes);
  base::Result<void> on_command(Bytes bytes);
  base::Result<void> on_ignored(Bytes bytes);
  base::Result<void> on_section_start(Bytes bytes);
  base::Result<void> on_section_name_length(Bytes bytes);
  base::Result<void> on_section_name(Bytes bytes);
  base::Result<void> on_section_version(Bytes bytes);
  base::Result<void> on_section_part(Bytes bytes);
  base::Result<void> on_ram_word(Bytes bytes);
  base::Result<void> on_block_name_length(Bytes bytes);
  base::Result<void> on_block_name(Bytes bytes);
  base::Result<void> on_block_size(Bytes bytes);
  base::Result<void> on_page_block_length(Bytes bytes);
  base::Result<void> on_page_block_name(Bytes bytes);
  base::Result<void> on_zero_fill(Bytes bytes);
  base::Result<void> on_page_content(Bytes bytes);

  Receiver& receiver_;
  Step step_ = &MigrationStream::on_file_header;
  std::size_t need_ = 8;
  std::size_t buffered_ = 0;
  std::array<std::byte, kPage> buffer_;
  std::uint64_t skip_ = 0;
  std::uint64_t consumed_ = 0;
  std::string machine_;
  bool complete_ = false;
  bool failed_ = false;

  std::uint32_t capabilities_left_ = 0;
  std::uint32_t section_ = 0;  // the one that carries the RAM, once it has begun
  bool section_known_ = false;

  std::vector<Block> blocks_;
  std::unordered_map<std::string, std::size_t> block_of_name_;
  std::uint64_t blocks_left_ = 0;  // bytes of RAM whose blocks are still to be listed
  std::string name_;
  std::uint64_t page_word_ = 0;  // offset and flags of the page that comes next
  std::size_t block_ = 0;        // that it belongs to
  bool block_known_ = false;
};

}  // namespace vitrine::memory
