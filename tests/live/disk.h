// Disks of test guests, and the ways in which a VMM reaches one past the host's page cache.
//
// Thread contract: free functions.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

namespace vitrine::live {

struct DiskAccess {
  const char* name;
  std::vector<std::string> drive;  // arguments of the VMM, in which DISK stands for the disk
  bool drains;                     // somebody else writes to memory for it
};

const std::vector<DiskAccess>& disk_accesses();

// A disk of 64 MiB in `folder`. Where temporary files may be in memory, which no disk reads into,
// the environment's VITRINE_DISK names one.
std::string make_disk(const std::filesystem::path& folder);

// The arguments that give a VM such a disk.
std::vector<std::string> drive_arguments(const DiskAccess& access,
                                         const std::filesystem::path& folder);

inline std::string name_of(const testing::TestParamInfo<DiskAccess>& info) {
  return info.param.name;
}
inline void PrintTo(const DiskAccess& access, std::ostream* out) { *out << access.name; }

}  // namespace vitrine::live
