#include "vitrine/images/elf_image.h"

#include <elf.h>

#include <algorithm>

#include "vitrine/base/page.h"
#include "vitrine/images/elf_notes.h"
#include "vitrine/memory/elf_core.h"

namespace vitrine::images {
ElfImage::ElfImage(const GuestDescription& guest, OutputFile& file)
    : guest_(guest), output_(file), notes_(make_notes(guest.processors, guest.vmcoreinfo).bytes) {
  lay_out();
}

void ElfImage::lay_out() {
  for (const memory::Range& range : guest_.ram) {
    Segment segment{range, {}, 0};
    if (range.end() - guest_.direct.physical <= guest_.direct.size)
      segment.address = guest_.direct.start + (range.start - guest_.direct.physical);
    ram_.push_back(segment);
  }
  const auto home = std::ranges::find_if(ram_, [this](const Segment& segment) {
    return guest_.image.size != 0 &&
           segment.range.contains(guest_.image.physical, guest_.image.size);
  });
  if (home != ram_.end())
    kernel_ = Segment{{guest_.image.physical, guest_.image.size}, guest_.image.start, 0};
  const std::size_t headers =
      1 + ram_.size() + (kernel_ ? 1 : 0) + (guest_.predecessor.empty() ? 0 : 1);
  notes_offset_ = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);
  end_ = base::page_up(notes_offset_ + notes_.size());
  std::uint64_t pages = 0;
  for (Segment& segment : ram_) {
    segment.offset = end_;
    segment.first_page = pages;
    end_ += segment.range.size;
    pages += segment.range.size / kPageBytes;
  }
  if (!guest_.predecessor.empty()) incremental_ = Incremental{guest_.predecessor, PageBits(pages)};
  if (kernel_) kernel_->offset = home->offset + (guest_.image.physical - home->range.start);
}

base::Result<void> ElfImage::begin() {
  std::vector<Segment> segments = ram_;
  if (kernel_) segments.push_back(*kernel_);
  // The count is 16 bits wide; no machine has so many ranges of RAM.
  if (segments.size() >= PN_XNUM - 1)
    return base::fail(base::Code::unsupported, "the guest's RAM is in too many pieces for ELF");
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = incremental_ ? memory::kElfIncremental : ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(1 + segments.size() + (incremental_ ? 1 : 0));
  Bytes head;
  head.append(bytes_of(header));
  Elf64_Phdr notes{};
  notes.p_type = PT_NOTE;
  notes.p_offset = notes_offset_;
  notes.p_filesz = notes.p_memsz = notes_.size();
  head.append(bytes_of(notes));
  for (const Segment& segment : segments) {
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_flags = PF_R | PF_W | PF_X;
    load.p_offset = segment.offset;
    load.p_vaddr = segment.address.value;
    load.p_paddr = segment.range.start.value;
    load.p_filesz = load.p_memsz = segment.range.size;
    head.append(bytes_of(load));
  }
  if (incremental_) {
    Elf64_Phdr last{};
    last.p_type = PT_NOTE;
    last.p_offset = end_;
    last.p_filesz = last.p_memsz = incremental_notes().size();
    head.append(bytes_of(last));
  }
  head.append(notes_.span());
  return output_.write(0, head.span());
}

base::Result<const ElfImage::Segment*> ElfImage::find(memory::Range range) const {
  for (const Segment& segment : ram_)
    if (segment.range.contains(range.start, range.size)) return &segment;
  return base::fail(base::Code::invalid, "a page outside the guest's RAM was to be stored");
}

base::Result<void> ElfImage::note_held(memory::Range range) {
  if (!incremental_) return {};
  const auto segment = find(range);
  if (!segment) return base::fail(segment.error());
  const std::uint64_t first =
      (*segment)->first_page + (range.start - (*segment)->range.start) / kPageBytes;
  for (std::uint64_t i = 0; i < range.size / kPageBytes; ++i) incremental_->held.set(first + i);
  return {};
}

Bytes ElfImage::incremental_notes() const {
  Bytes notes;
  append_note(notes, Incremental::kNoteName, Incremental::kNoteType,
              incremental_note(*incremental_));
  return notes;
}

base::Result<void> ElfImage::store(base::GuestPhysical at, std::span<const std::byte> bytes) {
  const auto segment = find({at, bytes.size()});
  if (!segment) return base::fail(segment.error());
  if (auto noted = note_held({at, bytes.size()}); !noted) return noted;
  return output_.write((*segment)->offset + (at - (*segment)->range.start), bytes);
}

base::Result<std::string> ElfImage::finish() {
  if (!incremental_) return output_.finish(end_);
  const Bytes notes = incremental_notes();
  if (auto written = output_.write(end_, notes.span()); !written)
    return base::fail(written.error());
  return output_.finish(end_ + notes.size());
}

}  // namespace vitrine::images
