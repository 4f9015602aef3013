#include "vitrine/techniques/mapped_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "vitrine/host/mappings.h"
#include "vitrine/host/rights.h"
#include "vitrine/memory/load.h"

namespace vitrine::techniques {
namespace {

using base::kPage;

namespace fs = std::filesystem;

bool is_backing(const struct stat& info, const vmm::RamRegion& region) {
  return info.st_ino == region.inode && major(info.st_dev) == region.dev_major &&
         minor(info.st_dev) == region.dev_minor;
}

// Where the file may be opened from: the VMM's descriptors, and, since it may have closed its own,
// the mapping itself, for which CAP_SYS_ADMIN is needed.
std::vector<fs::path> doors(pid_t pid, const vmm::RamRegion& region) {
  const fs::path process = host::ProcRoot().of(pid, "");
  std::vector<fs::path> places;
  std::error_code error;
  for (fs::directory_iterator entry(process / "fd", error), end; !error && entry != end;
       entry.increment(error))
    places.push_back(entry->path());
  if (const auto mappings = host::mappings(pid))
    for (const host::Mapping& mapping : *mappings)
      if (mapping.start <= region.host && region.host < mapping.end)
        places.push_back(process / "map_files" /
                         fmt::format("{:x}-{:x}", mapping.start.value, mapping.end.value));
  return places;
}

}  // namespace

base::Result<base::FileDescriptor> open_backing(pid_t pid, const vmm::RamRegion& region) {
  const auto places = doors(pid, region);
  if (places.empty()) return base::fail(host::explain_denial(pid));
  for (const fs::path& place : places) {
    struct stat info {};
    if (stat(place.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || !is_backing(info, region))
      continue;
    base::FileDescriptor file(open(place.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.valid()) return file;
  }
  return base::fail(base::Code::denied,
                    "cannot open the file that backs the VM's RAM (" + region.path + ")",
                    "run vitrine with sudo, or use --technique process-vm");
}

base::Result<std::unique_ptr<MappedMemory>> MappedMemory::create(const vmm::Machine& machine,
                                                                 const vmm::RamLayout& layout) {
  std::unique_ptr<MappedMemory> memory(new MappedMemory());
  for (const vmm::RamRegion& region : layout.regions) {
    auto file = open_backing(machine.process.pid, region);
    if (!file) return base::fail(file.error());
    auto mapping = host::HoleSafeMapping::create(file->get(), region.file_offset, region.size);
    if (!mapping) return base::fail(mapping.error());
    const memory::Range range{region.start, region.size};
    memory->ram_.push_back(range);
    memory->windows_.push_back({range, mapping->bytes()});
    memory->backings_.push_back({std::move(*mapping), std::move(*file), region.file_offset});
  }
  return memory;
}

void MappedMemory::read(std::span<memory::ReadRequest> requests) {
  for (memory::ReadRequest& request : requests) {
    request.status = memory::ReadStatus::outside_ram;
    for (const memory::Window& window : windows_) {
      if (!window.range.contains(request.address, request.into.size())) continue;
      const std::byte* from = window.bytes + (request.address - window.range.start);
      request.status = memory::load_bytes(from, request.into) ? memory::ReadStatus::ok
                                                              : memory::ReadStatus::not_populated;
    }
  }
}

std::vector<memory::Range> MappedMemory::populated(memory::Range within) {
  std::vector<memory::Range> ranges;
  for (std::size_t i = 0; i < ram_.size(); ++i) {
    const std::uint64_t begin = std::max(ram_[i].start, within.start).value;
    const std::uint64_t end = std::min(ram_[i].end(), within.end()).value;
    const std::uint64_t to_file = backings_[i].file_offset - ram_[i].start.value;
    for (std::uint64_t at = begin; at < end;) {
      const off_t data =
          lseek(backings_[i].file.get(), static_cast<off_t>(at + to_file), SEEK_DATA);
      if (data < 0) break;
      off_t hole = lseek(backings_[i].file.get(), data, SEEK_HOLE);
      if (hole <= data) break;
      const std::uint64_t first = (static_cast<std::uint64_t>(data) - to_file) / kPage * kPage;
      at = std::min(static_cast<std::uint64_t>(hole) - to_file, end);
      if (first >= end) break;
      ranges.push_back({base::GuestPhysical(std::max(first, begin)), at - std::max(first, begin)});
    }
  }
  return ranges;
}

}  // namespace vitrine::techniques
