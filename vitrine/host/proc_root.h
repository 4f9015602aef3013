// Where procfs is mounted, and bounded reads of its files. Tests put a made-up folder in its place.
//
// Thread contract: plain values; reads are independent of each other. No effect on the guest.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::host {

struct ProcRoot {
  std::string path = "/proc";

  // "PATH/PID/ENTRY"; `entry` may be empty.
  std::string of(pid_t pid, std::string_view entry) const;
  // "PATH/ENTRY", for what belongs to no process.
  std::string of(std::string_view entry) const;
};

// The whole file, up to `limit` bytes. Errors: errno's, and `unsupported` for a larger file.
base::Result<std::string> read_file(const std::string& path, std::size_t limit = 1 << 20);

// What a symbolic link points to, up to PATH_MAX bytes. Errors: errno's.
base::Result<std::string> read_link(const std::string& path);

}  // namespace vitrine::host
