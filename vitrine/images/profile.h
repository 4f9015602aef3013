// What was learned of a guest's kernel, written for other tools: its symbols, and its types.
//
// Formats are written here rather than by the command line, beside those of images and for the
// same reason: a program that uses the library wants them, too, and they need nothing but the
// kernel and its memory.
//
// Thread contract: as the memory. Private memory: the symbols' names, some megabytes; never the
// whole document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/images/output_file.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::images {

enum class ProfileFormat : std::uint8_t {
  system_map,  // see system_map.h
  isf,         // see isf.h
};

struct ProfileRequest {
  ProfileFormat format = ProfileFormat::isf;
  // Addresses as in the running kernel; else as it was linked, KASLR's offset taken off. Of a
  // System.map only: the other format has them as linked.
  bool relocated = false;
  std::string producer_version;
};

struct ProfileReport {
  std::uint64_t bytes = 0;
  std::string sha256;
  std::uint64_t kernel_offset = 0;  // KASLR's, taken off unless relocated
  std::size_t symbols = 0;
  std::size_t user_types = 0;  // in ISF
  std::size_t enums = 0;
  std::vector<std::string> missing;  // what the guest does not tell, in words
};

// Writes `file`, which the caller publishes. Errors: those of the kernel's tables, of the memory,
// and as OutputFile; `inconsistent` where a guest's tables make too much of it.
base::Result<ProfileReport> write_profile(const kernel::Kernel& kernel,
                                          memory::PhysicalMemory& memory,
                                          const ProfileRequest& request, OutputFile& file);

// "isf", "system-map".
std::string_view name(ProfileFormat format);

// The format that a file of this name is expected to have: NAME.json, NAME.map, System.map-RELEASE.
std::optional<ProfileFormat> format_of_name(std::string_view file_name);

}  // namespace vitrine::images
