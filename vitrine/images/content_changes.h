// Which pages changed since an image was taken, by comparing every byte: slow, and always possible.
//
// Thread contract: one thread at a time. Effect on the guest: that of its memory's technique.
// Cost: all of what is populated is read, and of the image as much.
#pragma once

#include <cstddef>
#include <vector>

#include "vitrine/memory/page_changes.h"

namespace vitrine::images {

class ContentChanges final : public memory::PageChanges {
 public:
  // Both outlive this object. What only one of them has of RAM counts as changed.
  ContentChanges(memory::PhysicalMemory& earlier, memory::PhysicalMemory& now)
      : earlier_(earlier), now_(now) {}

  base::Result<void> compare(memory::Range range, std::span<std::uint8_t> same) override;

 private:
  memory::PhysicalMemory& earlier_;
  memory::PhysicalMemory& now_;
  std::vector<std::byte> before_, after_;
};

}  // namespace vitrine::images
