// The regions of processes' memory, named after /proc/PID/maps: one row per region, with the file
// that it shows; and, if asked for, how much of it is in memory and how much is swapped out, as
// /proc/PID/smaps counts.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list, those of the regions and of each file's name; with `pages` one
// load for each 4 KiB of page tables.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "vitrine/views/file_details.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/regions.h"

namespace vitrine::views {

struct MapsOptions {
  std::optional<std::int64_t> pid = {};  // of a process; nothing: all
  bool pages = false;                    // count what is in memory: columns of their own
};

class Maps final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    const MapsOptions& options);

  // All there can be; those that `pages` fills are the last.
  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "regions"; }
  std::span<const Column> columns() const override;
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return mappings_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned {
    kPid,
    kComm,
    kStart,
    kEnd,
    kSize,
    kPermissions,
    kOffset,
    kDevice,
    kInode,
    kDeleted,
    kPath,
    kResident,
    kSwapped,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Mapping {
    Region region;
    std::uint32_t process = 0;  // its place in the process list
    std::uint32_t file = kNone;
    std::uint64_t resident = 0, swapped = 0;    // bytes
    paging::Fault pages = paging::Fault::none;  // other than none: these are not known
    bool too_many = false;                      // the same, since there are more than can be
  };

  struct Fields {
    std::uint32_t tables = 0;                       // mm_struct.pgd
    base::GuestVirtual swap_areas, huge_zero_page;  // 0: the kernel has none
  };

  Maps(std::unique_ptr<View> processes, Regions regions, FileDecoder files, Fields fields,
       const MapsOptions& options)
      : processes_(std::move(processes)),
        regions_(std::move(regions)),
        decoder_(std::move(files)),
        fields_(fields),
        options_(options) {}

  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  Outcome collect_rows(Reader& reader, Outcome outcome);
  Regions::End collect_process(Reader& reader, std::uint32_t index);
  std::uint32_t file_number(Reader& reader, base::GuestVirtual file);
  void begin_pages(Reader& reader);
  void count_pages(Reader& reader, base::GuestPhysical root, Mapping& mapping);
  void count(const paging::Format& format, const paging::PageEntry& entry, Mapping& mapping) const;

  std::unique_ptr<View> processes_;
  Regions regions_;
  FileDecoder decoder_;
  Fields fields_;
  MapsOptions options_;
  std::vector<Region> found_;  // of one process
  std::vector<Mapping> mappings_;
  std::vector<FileDetails> files_;
  std::map<base::GuestVirtual, std::uint32_t> known_files_;  // ordered: a guest chooses the keys
  Budget text_{256U << 20};                                  // bytes, of all files' names
  std::uint64_t tables_ = 0;                                 // that may still be gone through
  // What the kernel had when the collection began.
  std::uint32_t swap_areas_ = 0;
  std::uint64_t huge_zero_frame_ = ~std::uint64_t{0};
};

}  // namespace vitrine::views
