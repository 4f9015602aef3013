#include "vitrine/images/process_core.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "vitrine/base/page.h"
#include "vitrine/images/elf_notes.h"
#include "vitrine/images/omission.h"
#include "vitrine/memory/gather_reader.h"
#include "vitrine/memory/prstatus.h"
#include "vitrine/paging/range_walk.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;
using paging::Fault;
using paging::PageEntry;

constexpr std::uint64_t kMostTables = 4U << 20;   // of 4 KiB: they can map 8 TiB
constexpr std::size_t kMostSegments = 1U << 20;   // beyond, holes are not told from zeros
constexpr std::uint64_t kLargestHole = 1U << 30;  // of zeros within a segment, bytes
constexpr std::size_t kBatch = 512;               // pages that are read at once

// A part of a region: `file` bytes of it are in the core, from `offset` on.
struct Segment {
  GuestVirtual start;
  std::uint64_t memory = 0, file = 0, offset = 0;
  std::uint32_t flags = 0;
};

// struct elf_prpsinfo.
Bytes process_note(const CoreDescription& process) {
  constexpr std::size_t kBytes = 136;
  constexpr std::size_t kName = 40;
  constexpr std::size_t kNameBytes = 16;
  constexpr std::size_t kArguments = 56;
  constexpr std::size_t kArgumentBytes = 80;
  constexpr std::string_view kStates = "RSDTZ";
  Bytes note(kBytes);
  const std::size_t state = std::min(kStates.find(process.state), kStates.size());
  note.put(0, static_cast<std::uint8_t>(state));
  note.put(1, process.state);
  note.put(2, static_cast<std::uint8_t>(process.state == 'Z' ? 1 : 0));
  note.put(16, process.uid);
  note.put(20, process.gid);
  note.put(24, process.pid);
  note.put(28, process.parent);
  note.put(kName, std::string_view(process.name).substr(0, kNameBytes - 1));
  note.put(kArguments, std::string_view(process.arguments).substr(0, kArgumentBytes - 1));
  return note;
}

// NT_FILE: which files the regions show (fill_files_note() in fs/binfmt_elf.c).
Bytes files_note(const CoreDescription& process) {
  Bytes note;
  const auto add = [&note](std::uint64_t value) { note.append(bytes_of(value)); };
  add(process.files.size());
  add(kPageBytes);
  for (const CoreFile& file : process.files) {
    add(file.start.value);
    add(file.end.value);
    add(file.page);
  }
  for (const CoreFile& file : process.files) {
    const std::string name = file.path.substr(0, file.path.find('\0'));
    note.append(std::as_bytes(std::span(name.c_str(), name.size() + 1)));
  }
  return note;
}

Bytes make_notes(const CoreDescription& process) {
  Bytes notes;
  bool first = true;
  for (const CoreThread& thread : process.threads) {
    append_note(notes, "CORE", NT_PRSTATUS, memory::make_prstatus(thread.registers, thread.id));
    if (first) append_note(notes, "CORE", NT_PRPSINFO, process_note(process).span());
    first = false;
  }
  if (!process.auxiliary_vector.empty())
    append_note(notes, "CORE", NT_AUXV, process.auxiliary_vector);
  if (!process.files.empty()) append_note(notes, "CORE", NT_FILE, files_note(process).span());
  return notes;
}

// What a debugger may read of a region in place of what is missing: zeros of what was never
// touched, but not of what is elsewhere.
class Plan {
 public:
  Plan(const CoreRegion& region, std::vector<Segment>& segments)
      : region_(region), segments_(segments) {
    begin(region.start);
  }

  void resident(GuestVirtual start, GuestVirtual end) {
    Segment& segment = segments_.back();
    const std::uint64_t gap = start - (segment.start + segment.file);
    const bool joined = gap == 0 || (!region_.of_file && !missing_ && gap < kLargestHole) ||
                        segments_.size() >= kMostSegments;
    if (!joined) {
      segment.memory = start - segment.start;
      begin(start);
    }
    segments_.back().file = end - segments_.back().start;
    missing_ = false;
  }
  void missing() { missing_ = true; }
  void finish() { segments_.back().memory = region_.end - segments_.back().start; }

 private:
  void begin(GuestVirtual start) {
    const std::uint32_t flags = (region_.readable ? PF_R : 0U) | (region_.writable ? PF_W : 0U) |
                                (region_.executable ? PF_X : 0U);
    segments_.push_back({.start = start, .flags = flags});
  }

  const CoreRegion& region_;
  std::vector<Segment>& segments_;
  bool missing_ = false;  // since the last page that is there
};

class CoreWriter {
 public:
  CoreWriter(const CoreDescription& process, memory::PhysicalMemory& memory,
             const std::function<void(const CoreProgress&)>& progress, OutputFile& file)
      : process_(process),
        memory_(memory),
        progress_(progress),
        file_(file),
        tables_(memory),
        buffer_(kBatch * kPageBytes) {
    tables_.begin();
  }

  base::Result<CoreReport> run() {
    if (auto planned = plan(); !planned) return fail(planned.error());
    if (auto written = write_head(); !written) return fail(written.error());
    if (auto copied = copy(); !copied) return fail(copied.error());
    report_.size = end_;
    report_.segments = segments_.size();
    if (auto sized = file_.set_size(end_); !sized) return fail(sized.error());
    const auto allocated = file_.allocated();
    if (!allocated) return fail(allocated.error());
    report_.allocated_bytes = *allocated;
    return report_;
  }

 private:
  // Goes through what the page tables say of a region, cut to it.
  template <class Visit>
  bool walk(const CoreRegion& region, Visit&& visit) {
    const bool in_kernel_half = region.start.value >> process_.format->address_bits != 0;
    if (in_kernel_half || region.end <= region.start) return true;
    return paging::walk_range(*process_.format, process_.tables, region.start, region.end, tables_,
                              left_, [&](const PageEntry& entry) {
                                const GuestVirtual start = std::max(entry.address, region.start);
                                const GuestVirtual end =
                                    std::min(entry.address + entry.size, region.end);
                                return visit(entry, start, end);
                              });
  }

  base::Result<void> plan() {
    std::uint64_t limit = 1ULL << 30;  // many may share a page
    for (const memory::Range& range : memory_.ram()) limit += 8 * range.size;
    std::uint64_t claimed = 0;
    left_ = kMostTables;
    for (const CoreRegion& region : process_.regions) {
      report_.mapped_bytes += region.end - region.start;
      Plan plan(region, segments_);
      const bool whole =
          walk(region, [&](const PageEntry& entry, GuestVirtual start, GuestVirtual end) {
            if (entry.fault == Fault::none) {
              plan.resident(start, end);
              claimed += end - start;
              if ((entry.entry & process_.format->special) == 0)
                report_.resident_bytes += end - start;
            } else {
              plan.missing();
              count_missing(entry, end - start);
            }
            return claimed <= limit;
          });
      plan.finish();
      if (!whole)
        return fail(Code::inconsistent,
                    "the process's page tables claim more memory than the guest can have");
    }
    return {};
  }

  // What is neither swapped out nor unreadable is a mark, and no page at all.
  void count_missing(const PageEntry& entry, std::uint64_t bytes) {
    const paging::Format& format = *process_.format;
    if (entry.fault != Fault::swapped_out)
      report_.unreadable_bytes += bytes;
    else if ((entry.entry >> format.swap_type_shift & format.swap_type_mask) < process_.swap_areas)
      report_.swapped_bytes += bytes;
  }

  base::Result<void> write_head() {
    const Bytes notes = make_notes(process_);
    const std::size_t headers = segments_.size() + 1;
    // More than a half word can count are counted in a section header.
    const bool many = headers >= PN_XNUM;
    const std::uint64_t sections = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);
    const std::uint64_t notes_offset = sections + (many ? sizeof(Elf64_Shdr) : 0);
    end_ = base::page_up(notes_offset + notes.size());
    for (Segment& segment : segments_) {
      segment.offset = end_;
      end_ += segment.file;
    }
    Elf64_Ehdr header{};
    std::copy_n(ELFMAG, SELFMAG, header.e_ident);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_phoff = header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(many ? PN_XNUM : headers);
    Elf64_Shdr count{};
    count.sh_info = static_cast<Elf64_Word>(headers);
    if (many) {
      header.e_shoff = sections;
      header.e_shentsize = sizeof count;
      header.e_shnum = 1;
    }
    Bytes head;
    head.append(bytes_of(header));
    Elf64_Phdr note{};
    note.p_type = PT_NOTE;
    note.p_offset = notes_offset;
    note.p_filesz = notes.size();
    head.append(bytes_of(note));
    for (const Segment& segment : segments_) {
      Elf64_Phdr load{};
      load.p_type = PT_LOAD;
      load.p_flags = segment.flags;
      load.p_offset = segment.offset;
      load.p_vaddr = segment.start.value;
      load.p_filesz = segment.file;
      load.p_memsz = segment.memory;
      load.p_align = kPageBytes;
      head.append(bytes_of(load));
    }
    if (many) head.append(bytes_of(count));
    head.append(notes.span());
    return file_.write(0, head.span());
  }

  // The page tables may have changed since: what is there now, and was planned for, is written.
  base::Result<void> copy() {
    left_ = kMostTables;
    std::size_t at = 0;  // the segment
    base::Result<void> done;
    for (const CoreRegion& region : process_.regions) {
      walk(region, [&](const PageEntry& entry, GuestVirtual start, GuestVirtual end) {
        if (entry.fault != Fault::none) return true;
        for (GuestVirtual page = start; page < end && at < segments_.size() && done;
             page = page + kPageBytes)
          done = ask_for(entry, page, at);
        return done.has_value();
      });
      if (!done) return done;
    }
    return flush();
  }

  // A page that was planned for. `at` is the segment of the page before, from where on it is
  // sought.
  base::Result<void> ask_for(const PageEntry& entry, GuestVirtual page, std::size_t& at) {
    while (at < segments_.size() && segments_[at].start + segments_[at].memory <= page) ++at;
    if (at == segments_.size()) return {};
    const Segment& segment = segments_[at];
    if (page < segment.start || page - segment.start >= segment.file) return {};
    requests_.push_back({entry.physical + (page - entry.address), {}});
    offsets_.push_back(segment.offset + (page - segment.start));
    return requests_.size() == kBatch ? flush() : base::Result<void>();
  }

  base::Result<void> flush() {
    for (std::size_t i = 0; i < requests_.size(); ++i)
      requests_[i].into = std::span(buffer_).subspan(i * kPageBytes, kPageBytes);
    memory_.read(requests_);
    // Neighbours in one piece.
    for (std::size_t i = 0; i < requests_.size();) {
      std::size_t end = i;
      while (end < requests_.size() && offsets_[end] == offsets_[i] + (end - i) * kPageBytes &&
             worth_writing(requests_[end]))
        ++end;
      if (end == i) {
        if (requests_[i].status != memory::ReadStatus::ok) report_.unreadable_bytes += kPageBytes;
        ++i;
        continue;
      }
      const auto bytes = std::span(buffer_).subspan(i * kPageBytes, (end - i) * kPageBytes);
      if (auto written = file_.write(offsets_[i], bytes); !written) return written;
      i = end;
    }
    done_ += requests_.size() * kPageBytes;
    requests_.clear();
    offsets_.clear();
    tell();
    return {};
  }

  static bool worth_writing(const memory::ReadRequest& page) {
    return page.status == memory::ReadStatus::ok && !base::is_zero(page.into);
  }

  void tell() {
    const auto now = std::chrono::steady_clock::now();
    if (!progress_ || now - told_ < kProgressInterval) return;
    told_ = now;
    progress_({std::min(done_, report_.resident_bytes), report_.resident_bytes});
  }

  const CoreDescription& process_;
  memory::PhysicalMemory& memory_;
  const std::function<void(const CoreProgress&)>& progress_;
  OutputFile& file_;
  memory::GatherReader tables_;
  std::uint64_t left_ = 0;  // page tables that may still be gone through
  std::vector<Segment> segments_;
  std::uint64_t end_ = 0;
  std::vector<std::byte> buffer_;
  std::vector<memory::ReadRequest> requests_;
  std::vector<std::uint64_t> offsets_;  // of each request's page, in the file
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point told_;
  CoreReport report_;
};

}  // namespace

base::Result<CoreReport> write_process_core(
    const CoreDescription& process, memory::PhysicalMemory& memory,
    const std::function<void(const CoreProgress&)>& progress, OutputFile& file) {
  return CoreWriter(process, memory, progress, file).run();
}

}  // namespace vitrine::images
