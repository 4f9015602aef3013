#include "vitrine/memory/lime.h"

#include <algorithm>
#include <array>
#include <string>

#include "vitrine/memory/file_bytes.h"

namespace vitrine::memory {
namespace {

using base::Code;

constexpr std::size_t kMostLimeRanges = 65536;

// lime_mem_range_header
struct LimeHeader {
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t first = 0;  // physical address of the first byte
  std::uint64_t last = 0;   // and of the last one
  std::array<std::uint8_t, 8> reserved{};
};
static_assert(sizeof(LimeHeader) == 32);

tl::unexpected<base::Error> damaged_image(const std::string& what) {
  return base::fail(Code::inconsistent, "the LiME image is damaged: " + what,
                    "take it from another copy");
}

}  // namespace

base::Result<std::vector<ImageExtent>> read_lime(int file) {
  const auto size = file_size(file, "LiME image");
  if (!size) return base::fail(size.error());
  std::vector<ImageExtent> extents;
  for (std::uint64_t at = 0; at < *size;) {
    LimeHeader header;
    auto read = read_exactly(file, at, std::as_writable_bytes(std::span(&header, 1)), "LiME image");
    if (!read) return base::fail(read.error());
    if (header.magic != kLimeMagic) return damaged_image("a range has no header");
    if (header.version != 1)
      return base::fail(Code::unsupported,
                        "the LiME image has version " + std::to_string(header.version),
                        "vitrine reads version 1");
    at += sizeof header;
    if (header.last < header.first || header.last > kFarthest)
      return damaged_image("a range has no end");
    const std::uint64_t length = header.last - header.first + 1;
    if (length > *size - at)
      return damaged_image("it ends within the range at " + base::to_hex(header.first) +
                           ", so it is truncated");
    if (extents.size() == kMostLimeRanges) return damaged_image("it has too many ranges");
    extents.push_back({{base::GuestPhysical(header.first), length}, at});
    at += length;
  }
  std::ranges::sort(extents, {}, [](const ImageExtent& extent) { return extent.range.start; });
  for (std::size_t i = 1; i < extents.size(); ++i)
    if (extents[i].range.start < extents[i - 1].range.end())
      return damaged_image("its ranges overlap");
  return extents;
}

}  // namespace vitrine::memory
