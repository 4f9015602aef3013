#include "vitrine/techniques/kcore.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace vitrine::techniques {
namespace {

using base::Code;
using base::fail;
using base::kPage;

constexpr std::size_t kMostSegments = 4096;
constexpr std::uint64_t kKernelHalf = std::uint64_t{1} << 63;
constexpr std::uint64_t kKernelImage = 0xffffffff80000000;  // __START_KERNEL_map
constexpr std::uint64_t kNoAddress = ~std::uint64_t{0};
constexpr std::uint64_t kMostPhysical = std::uint64_t{1} << 52;

template <class T>
T copied(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

base::Result<Elf64_Ehdr> file_header(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Elf64_Ehdr))
    return fail(Code::inconsistent, "the guest's /proc/kcore ends within its header");
  const auto header = copied<Elf64_Ehdr>(bytes, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_CORE)
    return fail(Code::inconsistent, "the guest's /proc/kcore is no ELF core");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return fail(Code::unsupported,
                "the guest's /proc/kcore is not of a 64-bit little-endian system");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum > kMostSegments || header.e_phoff > kMostSegments * sizeof(Elf64_Phdr))
    return fail(Code::inconsistent, "the guest's /proc/kcore has damaged headers");
  return header;
}

std::vector<Elf64_Phdr> loaded_segments(std::span<const std::byte> bytes,
                                        const Elf64_Ehdr& header) {
  std::vector<Elf64_Phdr> list;
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = copied<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD && segment.p_filesz != 0) list.push_back(segment);
  }
  return list;
}

// The whole pages of a segment, moved to where they are in physical memory.
std::optional<KcoreSegment> placed(const Elf64_Phdr& segment, std::uint64_t physical) {
  const std::uint64_t skipped = (kPage - physical % kPage) % kPage;
  // Pages of memory are pages of the file; anything else is no segment of RAM.
  if (segment.p_filesz <= skipped || segment.p_offset % kPage != physical % kPage)
    return std::nullopt;
  const std::uint64_t size = (segment.p_filesz - skipped) / kPage * kPage;
  const std::uint64_t offset = segment.p_offset + skipped;
  if (size == 0 || physical > kMostPhysical || size > kMostPhysical ||
      offset > static_cast<std::uint64_t>(INT64_MAX) - size)
    return std::nullopt;
  return KcoreSegment{{base::GuestPhysical(physical + skipped), size}, offset};
}

// Kernels before 4.16 leave p_paddr 0 (464920104bf7). On x86 the direct map is the lowest part of
// the kernel's half, begins at a multiple of 1 GiB, and has physical address 0 there.
std::optional<std::uint64_t> direct_map_start(const std::vector<Elf64_Phdr>& segments) {
  std::uint64_t lowest = kNoAddress;
  for (const Elf64_Phdr& segment : segments)
    if (segment.p_vaddr >= kKernelHalf) lowest = std::min(lowest, segment.p_vaddr);
  if (lowest >= kKernelImage) return std::nullopt;
  constexpr std::uint64_t kGibibyte = 1 << 30;
  return lowest / kGibibyte * kGibibyte;
}

std::vector<KcoreSegment> told(const std::vector<Elf64_Phdr>& segments) {
  std::vector<KcoreSegment> found;
  for (const Elf64_Phdr& segment : segments) {
    if (segment.p_paddr == kNoAddress) continue;
    if (const auto place = placed(segment, segment.p_paddr)) found.push_back(*place);
  }
  return found;
}

std::vector<KcoreSegment> derived(const std::vector<Elf64_Phdr>& segments) {
  std::vector<KcoreSegment> found;
  const auto start = direct_map_start(segments);
  if (!start) return found;
  for (const Elf64_Phdr& segment : segments) {
    // The vmalloc area is a segment of at least 2^45 bytes; no RAM is so large.
    if (segment.p_vaddr < *start || segment.p_vaddr - *start >= (std::uint64_t{1} << 44)) continue;
    if (segment.p_filesz >= (std::uint64_t{1} << 44)) continue;
    if (const auto place = placed(segment, segment.p_vaddr - *start)) found.push_back(*place);
  }
  return found;
}

// Of segments that overlap the larger stays: RAM contains the kernel's image.
std::vector<KcoreSegment> disjoint(std::vector<KcoreSegment> all) {
  std::ranges::stable_sort(all, std::greater{},
                           [](const KcoreSegment& segment) { return segment.physical.size; });
  std::vector<KcoreSegment> kept;
  for (const KcoreSegment& segment : all) {
    const bool overlaps = std::ranges::any_of(kept, [&segment](const KcoreSegment& other) {
      return segment.physical.start < other.physical.end() &&
             other.physical.start < segment.physical.end();
    });
    if (!overlaps) kept.push_back(segment);
  }
  std::ranges::sort(kept, {}, [](const KcoreSegment& segment) { return segment.physical.start; });
  return kept;
}

}  // namespace

base::Result<std::size_t> kcore_headers_size(std::span<const std::byte> beginning) {
  auto header = file_header(beginning);
  if (!header) return fail(header.error());
  return header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr);
}

base::Result<Kcore> parse_kcore(std::span<const std::byte> headers) {
  auto header = file_header(headers);
  if (!header) return fail(header.error());
  if (headers.size() < header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr))
    return fail(Code::inconsistent, "the guest's /proc/kcore ends within its headers");
  const auto segments = loaded_segments(headers, *header);
  Kcore kcore;
  kcore.derived =
      std::ranges::all_of(segments, [](const auto& segment) { return segment.p_paddr == 0; });
  if (!kcore.derived)
    kcore.segments = disjoint(told(segments));
  else if (header->e_machine == EM_X86_64)
    kcore.segments = disjoint(derived(segments));
  if (kcore.segments.empty())
    return fail(Code::unsupported, "the guest's /proc/kcore does not say where its memory is");
  return kcore;
}

}  // namespace vitrine::techniques
