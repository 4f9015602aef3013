#include "apps/cli/file_output.h"

namespace vitrine::cli {

base::Result<void> FileOutput::create(const std::string& path) {
  auto file = images::OutputFile::create(path, images::OutputFile::Existing::keep);
  if (!file) return base::fail(file.error());
  file_ = std::move(*file);
  return {};
}

// Zeros up to there.
base::Result<void> FileOutput::skip_to(std::uint64_t offset) {
  if (use_ == Use::print) {
    if (offset > kMostPrinted)
      return base::fail(base::Code::invalid, "the file is too large to be printed",
                        "save it with -o FILE");
    text_.resize(offset);
  }
  if (offset <= kMostHashed) {
    hash_.update_zeros(offset - hashed_);
    hashed_ = offset;
  }
  return {};
}

base::Result<void> FileOutput::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (auto skipped = skip_to(offset); !skipped) return skipped;
  if (use_ == Use::print) text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (hashed_ == offset) {
    hash_.update(bytes);
    hashed_ += bytes.size();
  }
  return file_ ? file_->write(offset, bytes) : base::Result<void>();
}

base::Result<void> FileOutput::finish(std::uint64_t size) {
  if (auto skipped = skip_to(size); !skipped) return skipped;
  if (hashed_ == size) sha256_ = hash_.finish();
  if (!file_) return {};
  if (auto sized = file_->set_size(size); !sized) return sized;
  if (auto synced = file_->sync(); !synced) return synced;
  return file_->publish();
}

}  // namespace vitrine::cli
