// The SHA-256 of a whole file.
//
// Thread contract: independent calls. Cost: the file is read once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "vitrine/base/result.h"

namespace vitrine::images {

// 64 hex digits. `progress`, where set, is told how many bytes were read. Errors: open's and
// pread's; `unsupported` where this host knows no SHA-256.
base::Result<std::string> file_digest(const std::filesystem::path& path,
                                      const std::function<void(std::uint64_t)>& progress = {});

// The same of a file that is open.
base::Result<std::string> file_digest(int file, const std::string& name,
                                      const std::function<void(std::uint64_t)>& progress = {});

}  // namespace vitrine::images
