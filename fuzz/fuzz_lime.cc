// A LiME image as a damaged or forged one may be.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz/fuzzer.h"
#include "vitrine/memory/lime.h"

VITRINE_FUZZER(lime) {
  using namespace vitrine::memory;
  static const int file = memfd_create("lime", 0);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) < 0) return 0;
  const auto extents = read_lime(file);
  if (!extents) return 0;
  // What was accepted lies in the file, and apart.
  std::uint64_t free_from = 0;
  for (const ImageExtent& extent : *extents) {
    if (extent.range.size == 0 || extent.range.start.value < free_from || extent.offset > size ||
        extent.range.size > size - extent.offset)
      std::abort();
    free_from = extent.range.end().value;
  }
  return 0;
}
