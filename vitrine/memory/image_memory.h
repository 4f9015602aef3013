// Guest-physical memory read from a file: an image that holds ranges of RAM at given offsets.
//
// The file is mapped once, also where it is still too short, so that windows stay where they are
// when a new image is written into the same file. Its pages belong to the host's page cache: a
// large image costs this process no private memory. A hole of the file reads as zero; what lies
// past its end is not populated.
//
// Thread contract: reading from several threads is fine. Effect on the guest: none.
#pragma once

#include <memory>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::memory {

// A range of RAM, and where in the file its bytes begin; that need not be a multiple of anything.
struct ImageExtent {
  Range range;
  std::uint64_t offset = 0;

  friend bool operator==(const ImageExtent&, const ImageExtent&) = default;
};

class ImageMemory final : public PhysicalMemory, public Windows {
 public:
  // Maps the extents, which are sorted by address and disjoint; each becomes a range of ram().
  // Errors: `inconsistent` for extents that are not so, or reach past what a file can hold; mmap's.
  static base::Result<std::unique_ptr<ImageMemory>> create(base::FileDescriptor file,
                                                           std::vector<ImageExtent> extents);
  ~ImageMemory() override;
  ImageMemory(const ImageMemory&) = delete;
  ImageMemory& operator=(const ImageMemory&) = delete;

  void read(std::span<ReadRequest> requests) override;
  std::span<const Range> ram() const override { return ram_; }
  // Where the file has data (SEEK_DATA): elsewhere everything is zero.
  std::vector<Range> populated(Range within) override;
  std::span<const Window> windows() const override { return windows_; }

  int file() const { return file_.get(); }

 private:
  struct Mapping {
    void* at = nullptr;
    std::uint64_t size = 0;
  };

  ImageMemory(base::FileDescriptor file, std::vector<ImageExtent> extents)
      : file_(std::move(file)), extents_(std::move(extents)) {}

  base::Result<void> map(const ImageExtent& extent);

  base::FileDescriptor file_;
  std::vector<ImageExtent> extents_;
  std::vector<Mapping> mappings_;
  std::vector<Range> ram_;
  std::vector<Window> windows_;
};

}  // namespace vitrine::memory
