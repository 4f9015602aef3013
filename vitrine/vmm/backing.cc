#include "vitrine/vmm/backing.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace vitrine::vmm {
namespace {

// The type of the file system a mapped file is on, by whichever way the host lets us.
std::optional<long> file_system(const host::Mapping& mapping, pid_t pid,
                                const host::ProcRoot& proc) {
  struct statfs about {};
  const std::string mapped =
      proc.of(pid, fmt::format("map_files/{:x}-{:x}", mapping.start.value, mapping.end.value));
  if (::statfs(mapped.c_str(), &about) == 0) return about.f_type;
  const std::string named = proc.of(pid, "root" + mapping.path);
  if (::statfs(named.c_str(), &about) == 0) return about.f_type;
  return std::nullopt;
}

bool anonymous(const host::Mapping& mapping) { return mapping.inode == 0; }

RamRegion piece(const RamRegion& whole, std::uint64_t skip, std::uint64_t size,
                const host::Mapping& mapping, Backing backing) {
  RamRegion result = whole;
  result.start = whole.start + skip;
  result.host = whole.host + skip;
  result.block_offset = whole.block_offset + skip;
  result.size = size;
  result.backing = backing;
  result.shared = mapping.shared;
  if (!anonymous(mapping)) {
    result.dev_major = mapping.dev_major;
    result.dev_minor = mapping.dev_minor;
    result.inode = mapping.inode;
    result.file_offset = mapping.offset + (result.host - mapping.start);
    result.path = mapping.path;
  }
  return result;
}

bool continues(const RamRegion& a, const RamRegion& b) {
  return a.end() == b.start && a.host + a.size == b.host && a.block == b.block &&
         a.block_offset + a.size == b.block_offset && a.backing == b.backing &&
         a.shared == b.shared && a.inode == b.inode && a.dev_major == b.dev_major &&
         a.dev_minor == b.dev_minor && (a.inode == 0 || a.file_offset + a.size == b.file_offset);
}

}  // namespace

Backing backing_of(const host::Mapping& mapping, pid_t pid, const host::ProcRoot& proc) {
  if (anonymous(mapping)) return Backing::private_anonymous;
  const auto type = file_system(mapping, pid, proc);
  if (type == HUGETLBFS_MAGIC || mapping.path.starts_with("/anon_hugepage"))
    return Backing::hugetlb;
  if (!mapping.shared) return Backing::private_file;
  const bool memory = type == TMPFS_MAGIC || mapping.path.starts_with("/memfd:") ||
                      mapping.path.starts_with("/dev/shm/") ||
                      mapping.path.starts_with("/dev/zero");
  return memory ? Backing::shared_memory : Backing::shared_file;
}

base::Result<std::vector<RamRegion>> with_backing(std::vector<RamRegion> regions,
                                                  std::span<const host::Mapping> mappings,
                                                  pid_t pid, const host::ProcRoot& proc) {
  std::sort(regions.begin(), regions.end(),
            [](const RamRegion& a, const RamRegion& b) { return a.start < b.start; });
  std::vector<RamRegion> result;
  for (const RamRegion& region : regions) {
    if (!result.empty() && region.start < result.back().end()) {
      return base::fail(
          {base::Code::inconsistent, "two pieces of the VM's RAM overlap", {}, region.start.value});
    }
    std::uint64_t done = 0;
    auto mapping = std::upper_bound(
        mappings.begin(), mappings.end(), region.host,
        [](base::HostVirtual at, const host::Mapping& candidate) { return at < candidate.end; });
    while (done < region.size) {
      const base::HostVirtual at = region.host + done;
      if (mapping == mappings.end() || mapping->start > at || !mapping->read) {
        return base::fail({base::Code::inconsistent,
                           fmt::format("the VMM has no readable mapping at {}, where its RAM "
                                       "should be",
                                       base::to_string(at)),
                           {},
                           (region.start + done).value});
      }
      const std::uint64_t size = std::min(region.size - done, mapping->end - at);
      RamRegion next = piece(region, done, size, *mapping, backing_of(*mapping, pid, proc));
      if (!result.empty() && continues(result.back(), next)) {
        result.back().size += size;
      } else {
        result.push_back(std::move(next));
      }
      done += size;
      ++mapping;
    }
  }
  return result;
}

}  // namespace vitrine::vmm
