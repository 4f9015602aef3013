// Puts the pages of a migration stream into the image of a VM's RAM. Pages of blocks that are no
// RAM of the layout (video memory, firmware) are left out.
//
// Thread contract: one thread at a time. Effect on the guest: none.
#pragma once

#include <cstdint>
#include <vector>

#include "vitrine/memory/migration_stream.h"
#include "vitrine/techniques/ram_image.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::techniques {

class RamPages final : public memory::MigrationStream::Receiver {
 public:
  // Both outlive this.
  RamPages(const vmm::RamLayout& layout, RamImage& image) : layout_(layout), image_(image) {}

  // Errors: `inconsistent` where a region of the layout lies in none of the blocks, or in several.
  base::Result<void> blocks(std::span<const memory::MigrationStream::Block> blocks) override;
  base::Result<void> page(
      std::size_t block, std::uint64_t offset,
      std::span<const std::byte, memory::MigrationStream::kPage> content) override;
  base::Result<void> zero_page(std::size_t block, std::uint64_t offset) override;

  // Pages of the image that came since they were asked for the last time.
  std::vector<std::uint64_t> take_arrived();

 private:
  // A part of a block that is a region of the layout.
  struct Part {
    std::uint64_t start = 0;
    std::uint64_t size = 0;
    std::uint64_t image = 0;  // offset there
  };

  const Part* find(std::size_t block, std::uint64_t offset) const;
  base::Result<void> put(std::size_t block, std::uint64_t offset,
                         std::span<const std::byte> content);

  const vmm::RamLayout& layout_;
  RamImage& image_;
  std::vector<std::vector<Part>> parts_;  // by block
  std::vector<std::uint64_t> arrived_;
};

}  // namespace vitrine::techniques
