#include "vitrine/vmm/ram_layout.h"

namespace vitrine::vmm {

std::string_view name(Backing backing) {
  switch (backing) {
    case Backing::private_anonymous:
      return "private anonymous memory";
    case Backing::private_file:
      return "a file, mapped copy-on-write";
    case Backing::shared_memory:
      return "shared memory";
    case Backing::shared_file:
      return "a shared file";
    case Backing::hugetlb:
      return "huge pages";
  }
  return "memory";
}

std::uint64_t RamLayout::bytes() const {
  std::uint64_t sum = 0;
  for (const RamRegion& region : regions) sum += region.size;
  return sum;
}

}  // namespace vitrine::vmm
