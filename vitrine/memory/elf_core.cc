#include "vitrine/memory/elf_core.h"

#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vitrine/memory/file_bytes.h"

namespace vitrine::memory {
namespace {

using base::Code;

constexpr std::uint64_t kMostSegments = 65536;
constexpr std::uint64_t kMostNoteBytes = 16 << 20;
constexpr std::size_t kMostNotes = 65536;
constexpr std::uint64_t kNoPhysicalAddress = ~std::uint64_t{0};  // so Linux writes it

tl::unexpected<base::Error> damaged_core(const std::string& what) {
  return base::fail(Code::inconsistent, "the core file is damaged: " + what);
}

base::Result<void> read_at(int file, std::uint64_t offset, std::span<std::byte> into) {
  if (offset > kFarthest) return damaged_core("a part lies past what a file can hold");
  while (!into.empty()) {
    const ssize_t got = pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::fail_errno(errno, "pread", "cannot read the core file");
    if (got == 0) return damaged_core("it ends too early");
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

template <class T>
base::Result<T> read_header(int file, std::uint64_t offset) {
  T header;
  auto done = read_at(file, offset, std::as_writable_bytes(std::span(&header, 1)));
  if (!done) return base::fail(done.error());
  return header;
}

bool is_supported(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
         (header.e_type == ET_CORE || header.e_type == kElfIncremental) &&
         header.e_machine == EM_X86_64;
}

// Where there are too many for the file header, the first section header has the count (gABI).
base::Result<std::uint64_t> segment_count(int file, const Elf64_Ehdr& header) {
  std::uint64_t count = header.e_phnum;
  if (count == PN_XNUM) {
    auto section = read_header<Elf64_Shdr>(file, header.e_shoff);
    if (!section) return base::fail(section.error());
    count = section->sh_info;
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr))
    return damaged_core("its segment headers have no size");
  if (count > kMostSegments) return damaged_core("it has too many segments");
  return count;
}

std::uint64_t padded(std::uint64_t size) { return (size + 3) / 4 * 4; }

base::Result<void> append_notes(std::span<const std::byte> bytes, std::vector<ElfNote>& notes) {
  while (bytes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    bytes = bytes.subspan(sizeof(header));
    const std::uint64_t name_size = padded(header.n_namesz);
    if (name_size > bytes.size() || header.n_descsz > bytes.size() - name_size)
      return damaged_core("a note is longer than its segment");
    if (notes.size() == kMostNotes) return damaged_core("it has too many notes");
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const auto content = bytes.subspan(name_size, header.n_descsz);
    notes.push_back({std::string(text, strnlen(text, header.n_namesz)),
                     header.n_type,
                     {content.begin(), content.end()}});
    bytes = bytes.subspan(std::min(name_size + padded(header.n_descsz), bytes.size()));
  }
  return {};
}

base::Result<void> read_notes(int file, const Elf64_Phdr& segment, std::vector<ElfNote>& notes) {
  if (segment.p_filesz > kMostNoteBytes) return damaged_core("its notes are too large");
  std::vector<std::byte> bytes(segment.p_filesz);
  if (auto done = read_at(file, segment.p_offset, bytes); !done) return done;
  return append_notes(bytes, notes);
}

// Sorts, and cuts off what an earlier extent covers: kdump maps the kernel's image twice.
void make_disjoint(std::vector<ImageExtent>& extents) {
  std::ranges::stable_sort(extents, {},
                           [](const ImageExtent& extent) { return extent.range.start; });
  base::GuestPhysical free_from;
  std::erase_if(extents, [&free_from](ImageExtent& extent) {
    if (extent.range.end() <= free_from) return true;
    if (extent.range.start < free_from) {
      const std::uint64_t covered = free_from - extent.range.start;
      extent.range = {free_from, extent.range.size - covered};
      extent.offset += covered;
    }
    free_from = extent.range.end();
    return false;
  });
}

}  // namespace

base::Result<ElfCore> read_elf_core(int file) {
  auto core = read_elf_image(file);
  if (core && core->incremental)
    return base::fail(Code::unsupported, "the file is an incremental image",
                      "make it whole with vitrine snapshot --merge");
  return core;
}

base::Result<ElfCore> read_elf_image(int file) {
  const auto header = read_header<Elf64_Ehdr>(file, 0);
  if (!header) return base::fail(header.error());
  if (!is_supported(*header))
    return base::fail(Code::unsupported, "the file is no ELF core of a 64-bit x86 guest");
  const auto count = segment_count(file, *header);
  if (!count) return base::fail(count.error());
  ElfCore core;
  core.incremental = header->e_type == kElfIncremental;
  std::uint64_t note_bytes = 0;
  for (std::uint64_t i = 0; i < *count; ++i) {
    if (header->e_phoff > kFarthest) return damaged_core("it has no segment headers");
    const auto segment = read_header<Elf64_Phdr>(file, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return base::fail(segment.error());
    if (segment->p_type == PT_NOTE) {
      note_bytes += std::min(segment->p_filesz, kMostNoteBytes + 1);
      if (note_bytes > kMostNoteBytes) return damaged_core("its notes are too large");
      if (auto done = read_notes(file, *segment, core.notes); !done)
        return base::fail(done.error());
    } else if (segment->p_type == PT_LOAD && segment->p_filesz != 0 &&
               segment->p_paddr != kNoPhysicalAddress) {
      if (segment->p_paddr > kFarthest || segment->p_filesz > kFarthest ||
          segment->p_offset > kFarthest)
        return damaged_core("a segment is impossibly large");
      core.extents.push_back(
          {{base::GuestPhysical(segment->p_paddr), segment->p_filesz}, segment->p_offset});
      core.segments.push_back({core.extents.back().range, base::GuestVirtual(segment->p_vaddr)});
    }
  }
  make_disjoint(core.extents);
  return core;
}

}  // namespace vitrine::memory
