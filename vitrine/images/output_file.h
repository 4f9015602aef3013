// The file an image is written to: without a name until it is whole, so that whatever ends this
// process, an error or SIGKILL, leaves nothing behind and no half image can be mistaken for a whole
// one. Only its owner may read it: an image holds everything the guest knows.
//
// Thread contract: one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::images {

// Between two reports of how far the writing of a file has come.
inline constexpr std::chrono::milliseconds kProgressInterval{100};

class OutputFile {
 public:
  enum class Existing : std::uint8_t { keep, replace };

  // An unnamed file (O_TMPFILE) of mode 0600 in the folder of `path`, which it will be called once
  // it is published. Errors: `invalid` where `path` exists and is to be kept, or is no regular
  // file; `unsupported` where the file system knows no unnamed files; as open.
  static base::Result<OutputFile> create(const std::filesystem::path& path, Existing existing);

  // Writes all of `bytes` at `offset`; what is never written is a hole and reads as zeros. Errors:
  // `unreadable` with the cause, e.g. a full disk.
  base::Result<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
  // Reads exactly what was written. Errors: as pread; `inconsistent` at the file's end.
  base::Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;
  base::Result<void> set_size(std::uint64_t bytes);

  // What the file takes on the disk, holes not counted, in bytes.
  base::Result<std::uint64_t> allocated() const;

  // Brings what was written to the disk. Errors: as fsync, e.g. a full disk.
  base::Result<void> sync();
  // Gives the file its name. Errors: `invalid` where somebody made a file of that name meanwhile;
  // as linkat.
  base::Result<void> publish();
  // Brings the name to the disk.
  base::Result<void> sync_name();

  const std::filesystem::path& path() const { return path_; }

 private:
  OutputFile() = default;
  base::Result<void> link(const std::filesystem::path& name) const;
  base::Result<void> replace() const;

  std::filesystem::path path_;
  Existing existing_ = Existing::keep;
  base::FileDescriptor folder_;
  base::FileDescriptor file_;
};

}  // namespace vitrine::images
