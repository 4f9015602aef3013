// An ELF image and, if it is incremental, those it builds on, read as one memory: each page from
// the newest image that holds it. Holes read as zeros.
//
// Nothing in the files is believed: each must build on exactly the one before it.
//
// Thread contract: one thread at a time. Private memory: a bit for each page and image.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/images/image_writer.h"
#include "vitrine/images/incremental.h"
#include "vitrine/memory/elf_core.h"
#include "vitrine/memory/image_memory.h"

namespace vitrine::images {

struct ChainLink {
  std::filesystem::path file;
  std::string sha256;  // that the file is said to have
};

class ImageChain final : public memory::PhysicalMemory {
 public:
  // `links`: the whole image first, then each that builds on the one before. Errors: as
  // read_elf_image; `inconsistent` where they do not build on each other or have different RAM.
  static base::Result<std::unique_ptr<ImageChain>> open(std::span<const ChainLink> links);

  // Reads every file once and compares its digest with what it is said to be. `progress` is told
  // how many bytes were read, of how many. Error: `inconsistent` where one differs.
  base::Result<void> verify(const std::function<void(std::uint64_t, std::uint64_t)>& progress);

  // What the newest image says of its guest.
  GuestDescription description() const;

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return layers_.front().memory->ram(); }
  std::vector<memory::Range> populated(memory::Range within) override;

 private:
  struct Layer {
    ChainLink link;
    std::unique_ptr<memory::ImageMemory> memory;
    std::optional<PageBits> held;  // nothing: all pages
  };

  ImageChain() = default;
  base::Result<void> add(const ChainLink& link);
  std::optional<std::uint64_t> page_number(base::GuestPhysical at) const;
  void append_populated(memory::Range within, std::vector<memory::Range>& found);
  memory::ImageMemory& holder(std::uint64_t page);
  memory::ReadStatus read(base::GuestPhysical at, std::span<std::byte> into);

  std::vector<Layer> layers_;  // the newest last
  memory::ElfCore newest_;
};

}  // namespace vitrine::images
