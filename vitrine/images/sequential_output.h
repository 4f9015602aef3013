// A file written from its beginning to its end, with holes, and hashed on the way.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "vitrine/images/output_file.h"
#include "vitrine/images/sha256.h"

namespace vitrine::images {

class SequentialOutput {
 public:
  // `file` outlives this object.
  explicit SequentialOutput(OutputFile& file) : file_(file) {}

  // Writes bytes at `offset`; what lies between them and the last ones becomes a hole. REQUIRES:
  // offset is not before the end of what was written. Errors: as OutputFile::write.
  base::Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);

  // Ends the file at `size` bytes. Returns its SHA-256. REQUIRES: as write().
  base::Result<std::string> finish(std::uint64_t size);

  std::uint64_t end() const { return end_; }

 private:
  OutputFile& file_;
  Sha256 hash_;
  std::uint64_t end_ = 0;
};

}  // namespace vitrine::images
