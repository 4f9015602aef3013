#include "vitrine/techniques/sparse_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "vitrine/base/page.h"

namespace vitrine::techniques {

base::Result<void> SparseWriter::begin(std::uint64_t size) {
  buffer_.clear();
  buffer_.reserve(kBuffer);
  written_.assign(size / kPage + 1, false);
  if (ftruncate(file_, 0) != 0 || ftruncate(file_, static_cast<off_t>(size)) != 0)
    return base::fail_errno(errno, "ftruncate", "cannot make room for the memory image");
  return {};
}

base::Result<void> SparseWriter::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::uint64_t>(kPage - offset % kPage, bytes.size());
    if (auto done = write_piece(offset, bytes.first(size)); !done) return done;
    bytes = bytes.subspan(size);
    offset += size;
  }
  return {};
}

// A piece of one page. Zeros are left out, unless they replace something.
base::Result<void> SparseWriter::write_piece(std::uint64_t offset,
                                             std::span<const std::byte> bytes) {
  const std::uint64_t page = offset / kPage;
  if (page >= written_.size()) written_.resize(page + page / 2 + 1);
  if (!written_[page] && base::is_zero(bytes)) return {};
  written_[page] = true;
  if (offset != buffer_offset_ + buffer_.size() || buffer_.size() + bytes.size() > kBuffer) {
    if (auto done = flush(); !done) return done;
    buffer_offset_ = offset;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

base::Result<void> SparseWriter::flush() {
  std::span<const std::byte> left(buffer_);
  while (!left.empty()) {
    const ssize_t done =
        pwrite(file_, left.data(), left.size(), static_cast<off_t>(buffer_offset_));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      return base::fail_errno(errno, "pwrite", "cannot write the memory image",
                              "set TMPDIR to a folder on a file system with more space");
    left = left.subspan(static_cast<std::size_t>(done));
    buffer_offset_ += static_cast<std::uint64_t>(done);
  }
  buffer_.clear();
  return {};
}

}  // namespace vitrine::techniques
