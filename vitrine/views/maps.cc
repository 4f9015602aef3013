#include "vitrine/views/maps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vitrine/views/wanted_process.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using base::kPage;

constexpr int kRegionAttempts = 3;  // of the regions of a process that changes them meanwhile
constexpr std::uint64_t kMostTables = 4U << 20;  // of 4 KiB: they can map 8 TiB

}  // namespace

constinit const std::array<Column, Maps::kColumns> Maps::kColumnDeclarations{{
    {"pid", Type::integer, "id of the process"},
    {"comm", Type::text, "name of the process, at most 15 bytes"},
    {"start", Type::address, "where the region begins, in the process's own addresses"},
    {"end", Type::address, "the first address behind it"},
    {"size_bytes", Type::bytes, "its size in bytes, whether or not it is in memory"},
    {"permissions", Type::text,
     "r read, w write, x execute, - where not; then p private, or s shared"},
    {"offset", Type::integer, "where in the file it begins, in bytes; null where it shows no file"},
    {"device", Type::text,
     "major and minor number of the file system that the file is on; null where it shows no file"},
    {"inode", Type::integer, "number of the file's inode; null where it shows no file"},
    {"deleted", Type::boolean,
     "whether the file's name was removed, or it never had one; null where it shows no file"},
    {"path", Type::text,
     "the file's path across mounts; or what the region is: [heap], [stack], [vdso], "
     "[anon:NAME], …; null for memory without a name"},
    {"resident_bytes", Type::bytes,
     "with --pages: what of it is in memory, in bytes, as Rss of /proc/PID/smaps but huge pages "
     "of hugetlbfs included",
     true},
    {"swapped_bytes", Type::bytes,
     "with --pages: what of it the process has swapped out, in bytes; as Swap of /proc/PID/smaps, "
     "but for pages of shared memory, which belong to no process",
     true},
}};

std::span<const Column> Maps::declared_columns() { return kColumnDeclarations; }

std::span<const Column> Maps::columns() const {
  return declared_columns().first(options_.pages ? kColumns : kResident);
}

base::Result<std::unique_ptr<View>> Maps::attach(const kernel::Kernel& kernel,
                                                 memory::PhysicalMemory& memory,
                                                 const MapsOptions& options) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  auto regions = Regions::attach(kernel);
  if (!regions) return base::fail(regions.error());
  Resolver at(kernel.types);
  FileDecoder files = FileDecoder::attach(at, kernel.types);
  Fields fields;
  fields.tables = at("mm_struct", "pgd");
  if (at.error()) return base::fail(*at.error());
  if (options.pages) {
    enum Name : std::size_t { kSwapAreas, kHugeZero, kNames };
    constexpr std::array<std::string_view, kNames> kSymbols{"nr_swapfiles", "huge_zero_pfn"};
    const auto symbols = kernel.symbols.find(kSymbols);
    fields.swap_areas = symbols[kSwapAreas].value_or(GuestVirtual());
    fields.huge_zero_page = symbols[kHugeZero].value_or(GuestVirtual());
  }
  return std::unique_ptr<View>(
      new Maps(std::move(*processes), std::move(*regions), std::move(files), fields, options));
}

Outcome Maps::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Maps::collect_rows(Reader& reader, Outcome outcome) {
  mappings_.clear();
  files_.clear();
  known_files_.clear();
  regions_.forget();
  decoder_.forget();
  text_.renew();
  tables_ = kMostTables;
  if (options_.pages) begin_pages(reader);
  WantedProcess wanted(options_.pid);
  const auto all = processes().processes();
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (!wanted.is(all[i]) || all[i].mm.value == 0) continue;
    const Regions::End end = collect_process(reader, i);
    if (end == Regions::End::whole) continue;
    outcome.complete = false;
    if (end == Regions::End::too_many) {
      outcome.warnings.push_back(
          fmt::format("the processes claim more regions than a guest can have: only {} are shown",
                      mappings_.size()));
      break;
    }
    if (outcome.warnings.size() < kMaxWarnings)
      outcome.warnings.push_back(fmt::format(
          "the regions of process {} could not all be read: {}", all[i].pid,
          end == Regions::End::unreadable
              ? std::string(paging::name(reader.fault()))
              : "they contradict each other, since they are damaged or change all the time"));
  }
  wanted.explain(!mappings_.empty(), outcome);
  return outcome;
}

Regions::End Maps::collect_process(Reader& reader, std::uint32_t index) {
  const Process& process = processes().processes()[index];
  Regions::End end = Regions::End::whole;
  for (int attempt = 0; attempt < kRegionAttempts; ++attempt) {
    found_.clear();
    end = regions_.read(reader, process.mm, found_);
    if (end == Regions::End::whole || end == Regions::End::too_many) break;
  }
  GuestVirtual tables;
  base::GuestPhysical root;
  const bool has_tables = options_.pages &&
                          reader.load(process.mm + fields_.tables, tables.value) &&
                          reader.translate(tables, root);
  const paging::Fault no_tables =
      options_.pages && !has_tables ? reader.fault() : paging::Fault::none;
  for (const Region& region : found_) {
    if (text_.spent() || decoder_.spent()) return Regions::End::too_many;
    Mapping& mapping = mappings_.emplace_back();
    mapping.region = region;
    mapping.process = index;
    if (region.file.value != 0) mapping.file = file_number(reader, region.file);
    mapping.pages = no_tables;
    if (has_tables) count_pages(reader, root, mapping);
  }
  return end;
}

// Many regions show the same file: each is looked at once.
std::uint32_t Maps::file_number(Reader& reader, GuestVirtual file) {
  const auto [known, is_new] =
      known_files_.try_emplace(file, static_cast<std::uint32_t>(files_.size()));
  if (is_new) {
    FileDetails& details = files_.emplace_back();
    decoder_.read_mapped_file(reader, file, details);
    text_.spend(details.path.size());
  }
  return known->second;
}

void Maps::begin_pages(Reader& reader) {
  swap_areas_ = 0;
  huge_zero_frame_ = ~std::uint64_t{0};
  // What can't be read is as if it were not there.
  if (fields_.swap_areas.value != 0) (void)reader.load(fields_.swap_areas, swap_areas_);
  if (fields_.huge_zero_page.value != 0)
    (void)reader.load(fields_.huge_zero_page, huge_zero_frame_);
}

void Maps::count_pages(Reader& reader, base::GuestPhysical root, Mapping& mapping) {
  const paging::Format& format = *reader.space().format;
  const bool of_the_process = mapping.region.start.value >> format.address_bits == 0;
  if (!of_the_process || mapping.region.end <= mapping.region.start) return;
  const auto visit = [&](const paging::PageEntry& entry) {
    count(format, entry, mapping);
    return true;
  };
  mapping.too_many =
      !reader.walk_pages(root, mapping.region.start, mapping.region.end, tables_, visit);
}

// As smaps_pte_entry() and smaps_pmd_entry() in fs/proc/task_mmu.c.
void Maps::count(const paging::Format& format, const paging::PageEntry& entry,
                 Mapping& mapping) const {
  const GuestVirtual start = std::max(entry.address, mapping.region.start);
  const GuestVirtual end = std::min(entry.address + entry.size, mapping.region.end);
  switch (entry.fault) {
    case paging::Fault::none:
      if ((entry.entry & format.special) == 0 && entry.physical.value / kPage != huge_zero_frame_)
        mapping.resident += end - start;
      break;
    case paging::Fault::swapped_out:
      if ((entry.entry >> format.swap_type_shift & format.swap_type_mask) < swap_areas_)
        mapping.swapped += end - start;
      break;
    default:
      mapping.pages = entry.fault;
      break;
  }
}

Row Maps::row(std::size_t index) const {
  const Mapping& mapping = mappings_[index];
  const Region& region = mapping.region;
  const Process& process = processes().processes()[mapping.process];
  Row row;
  row.values.resize(columns().size());
  const auto failed = [&row](ColumnIndex column, std::string_view why, base::Code code) {
    row.errors.push_back({kColumnDeclarations[column].name, code, std::string(why)});
  };
  row.values[kPid] = std::int64_t{process.pid};
  row.values[kComm] = std::string(name_of(process));
  row.values[kStart] = region.start.value;
  row.values[kEnd] = region.end.value;
  row.values[kSize] = region.end - region.start;
  if (region.fault != paging::Fault::none) {
    failed(kPermissions, paging::name(region.fault), base::Code::unreadable);
    failed(kPath, paging::name(region.fault), base::Code::unreadable);
  } else {
    row.values[kPermissions] = permissions_text(region);
  }
  if (const std::string_view name = regions_.name(region); !name.empty())
    row.values[kPath] = std::string(name);
  if (mapping.file != kNone) {
    const FileDetails& file = files_[mapping.file];
    row.values[kOffset] = region.file_page * kPage;
    if (file.unreadable) {
      failed(kInode, paging::name(file.fault), base::Code::unreadable);
    } else {
      row.values[kDevice] = device_name(file.device);
      row.values[kInode] = file.inode;
      row.values[kDeleted] = file.deleted;
    }
    if (region.name != Region::kNoName) {
      // Shared memory that the process has named itself.
    } else if (file.end == PathEnd::whole) {
      row.values[kPath] = file.path;
    } else if (file.end == PathEnd::unreadable) {
      failed(kPath, paging::name(file.fault), base::Code::unreadable);
    } else {
      failed(kPath, "the path does not come to an end", base::Code::inconsistent);
    }
  }
  if (!options_.pages) return row;
  if (mapping.pages != paging::Fault::none || mapping.too_many) {
    for (const ColumnIndex column : {kResident, kSwapped})
      failed(column,
             mapping.too_many ? "the guest has more page tables than it can have memory for"
                              : paging::name(mapping.pages),
             mapping.too_many ? base::Code::inconsistent : base::Code::unreadable);
  } else {
    row.values[kResident] = mapping.resident;
    row.values[kSwapped] = mapping.swapped;
  }
  return row;
}

}  // namespace vitrine::views
