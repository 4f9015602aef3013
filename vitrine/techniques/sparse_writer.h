// Writes a memory image into a file of which only what is not zero takes space: most of a guest's
// RAM is zero, as a rule.
//
// Thread contract: one thread at a time. Private memory: a buffer of 1 MiB and a bit per page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vitrine/base/result.h"

namespace vitrine::techniques {

class SparseWriter {
 public:
  // `file` is open for writing and outlives the writer.
  explicit SparseWriter(int file) : file_(file) {}

  // Begins a new image of `size` bytes, all zero; what the file held is gone. Errors: ftruncate's.
  base::Result<void> begin(std::uint64_t size);

  // Puts bytes at `offset`, within the image or behind it. The file shows them after flush().
  // Errors: `unreadable` where the disk is full.
  base::Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
  base::Result<void> flush();

 private:
  static constexpr std::uint64_t kPage = 4096;
  static constexpr std::size_t kBuffer = 1 << 20;

  base::Result<void> write_piece(std::uint64_t offset, std::span<const std::byte> bytes);

  int file_;
  std::vector<std::byte> buffer_;  // what follows buffer_offset_ and is not in the file yet
  std::uint64_t buffer_offset_ = 0;
  std::vector<bool> written_;  // pages that may hold something else than zero
};

}  // namespace vitrine::techniques
