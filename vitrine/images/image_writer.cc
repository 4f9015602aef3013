#include "vitrine/images/image_writer.h"

#include <algorithm>
#include <array>

#include "vitrine/images/elf_image.h"
#include "vitrine/images/kdump_image.h"
#include "vitrine/images/raw_image.h"

namespace vitrine::images {
namespace {

// 448 GiB: the bits of more pages would be too large a note for readers of ELF cores
// (memory/elf_core.cc).
constexpr std::uint64_t kMostPagesOfIncremental = std::uint64_t{14} << 23;

constexpr std::array<Format, 3> kFormats{Format::raw, Format::elf, Format::kdump};

}  // namespace

std::string_view name(Format format) {
  switch (format) {
    case Format::raw:
      return "raw";
    case Format::elf:
      return "elf";
    case Format::kdump:
      break;
  }
  return "kdump";
}

std::optional<Format> find_format(std::string_view wanted) {
  for (const Format format : kFormats)
    if (name(format) == wanted) return format;
  return std::nullopt;
}

base::Result<std::unique_ptr<ImageWriter>> make_writer(Format format, const GuestDescription& guest,
                                                       OutputFile& file) {
  const bool whole_pages = std::ranges::all_of(guest.ram, [](const memory::Range& range) {
    return range.start.value % kPageBytes == 0 && range.size % kPageBytes == 0;
  });
  if (!whole_pages || guest.ram.empty())
    return base::fail(base::Code::unsupported, "the guest's RAM does not consist of whole pages");
  if (!guest.predecessor.empty() && format != Format::elf)
    return base::fail(base::Code::unsupported, "only an image in the format elf can be incremental",
                      "use --format elf");
  std::uint64_t pages = 0;
  for (const memory::Range& range : guest.ram) pages += range.size / kPageBytes;
  if (!guest.predecessor.empty() && pages > kMostPagesOfIncremental)
    return base::fail(base::Code::unsupported,
                      "the guest has too much RAM for an incremental image", "save a whole image");
  std::unique_ptr<ImageWriter> writer;
  switch (format) {
    case Format::raw:
      writer = std::make_unique<RawImage>(guest, file);
      break;
    case Format::elf:
      writer = std::make_unique<ElfImage>(guest, file);
      break;
    case Format::kdump:
      writer = std::make_unique<KdumpImage>(guest, file);
      break;
  }
  return writer;
}

}  // namespace vitrine::images
