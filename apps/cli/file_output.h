// Where a file's content goes as it is read from a guest: into memory, to be printed, or to a file
// with holes; hashed on the way.
//
// Thread contract: one thread at a time. Private memory: the content, where it is to be printed.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vitrine/images/output_file.h"
#include "vitrine/images/sha256.h"

namespace vitrine::cli {

class FileOutput {
 public:
  static constexpr std::uint64_t kMostPrinted = 1ULL << 30;  // bytes kept in memory
  static constexpr std::uint64_t kMostHashed = 16ULL << 30;  // bytes, holes included

  enum class Use : std::uint8_t { hash, print, save };

  explicit FileOutput(Use use) : use_(use) {}

  // To be called first, with Use::save. Errors: as images::OutputFile::create.
  base::Result<void> create(const std::string& path);

  // Takes bytes at ascending offsets; what is left out has zeros. Errors: as writing; `invalid`
  // where it is too much to be printed.
  base::Result<void> put(std::uint64_t offset, std::span<const std::byte> bytes);

  // To be called once, at the end, with the size of the file. Errors: as put().
  base::Result<void> finish(std::uint64_t size);

  // The content, with Use::print.
  std::string_view text() const { return text_; }
  // Absent where the file is too large to be hashed.
  const std::optional<std::string>& sha256() const { return sha256_; }

 private:
  base::Result<void> skip_to(std::uint64_t offset);

  Use use_;
  std::string text_;
  std::optional<images::OutputFile> file_;
  images::Sha256 hash_;
  std::uint64_t hashed_ = 0;  // bytes from the beginning
  std::optional<std::string> sha256_;
};

}  // namespace vitrine::cli
