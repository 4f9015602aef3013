// An image in the format of makedumpfile and diskdump (header version 6; makedumpfile's
// IMPLEMENTATION document, crash's diskdump.h): each page compressed by itself with zlib, pages
// left out marked as such. Readers: crash, drgn, libkdumpfile.
//
// The file: header, sub-header with the notes, two bitmaps (which pages exist; which are in the
// file), one descriptor per page in the file, the pages. Descriptors and pages grow side by side:
// room is reserved for as many descriptors as there are pages, and what is not needed stays a hole.
// All zero pages share one.
//
// Thread contract: one thread at a time. Private memory: two bits per page frame, and buffers.
#pragma once

#include "vitrine/images/elf_notes.h"
#include "vitrine/images/image_writer.h"

namespace vitrine::images {

class KdumpImage final : public ImageWriter {
 public:
  KdumpImage(const GuestDescription& guest, OutputFile& file);
  ~KdumpImage() override;

  base::Result<void> begin() override;
  base::Result<void> store(base::GuestPhysical at, std::span<const std::byte> bytes) override;
  base::Result<void> store_zeros(memory::Range range) override;
  base::Result<void> leave_out(memory::Range) override { return {}; }
  base::Result<std::string> finish() override;
  std::uint64_t size() const override { return pages_.end; }

 private:
  // A part of the file that grows; written in large pieces.
  struct Stream {
    std::uint64_t end = 0;  // where the next bytes go, those in the buffer counted
    std::vector<std::byte> buffer;
  };
  struct Compressor;
  // struct page_desc of diskdump.h.
  struct Descriptor {
    std::int64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t flags = 0;
    std::uint64_t page_flags = 0;
  };
  static_assert(sizeof(Descriptor) == 24);

  base::Result<void> append(Stream& stream, std::span<const std::byte> bytes);
  base::Result<void> flush(Stream& stream);
  base::Result<Descriptor> store_page(std::span<const std::byte> page);
  base::Result<void> describe(std::uint64_t frame, const Descriptor& descriptor);
  Bytes header() const;
  Bytes sub_header() const;
  std::vector<std::byte> existing_bitmap() const;

  const GuestDescription& guest_;
  OutputFile& file_;
  std::unique_ptr<Compressor> compressor_;
  Notes notes_;
  std::uint64_t frames_ = 0;  // one more than the highest frame's number
  std::uint64_t sub_header_blocks_ = 0;
  std::uint64_t bitmap_blocks_ = 0;  // of each bitmap
  std::uint64_t bitmaps_ = 0;        // where they begin in the file
  std::vector<std::byte> dumped_;    // the second bitmap
  std::uint64_t stored_ = 0;         // pages with a descriptor
  Descriptor zero_;
  Stream descriptors_;
  Stream pages_;
};

}  // namespace vitrine::images
