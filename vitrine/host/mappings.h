// The mappings of a process, as /proc/PID/maps lists them.
//
// Thread contract: plain values. Cost: one pass over the process's mappings by the host kernel,
// which holds its mmap lock for reading meanwhile; no effect on the guest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

struct Mapping {
  base::HostVirtual start;
  base::HostVirtual end;
  bool read = false;
  bool write = false;
  bool exec = false;
  bool shared = false;
  std::uint64_t offset = 0;  // into the file, bytes
  std::uint32_t dev_major = 0;
  std::uint32_t dev_minor = 0;
  std::uint64_t inode = 0;  // 0 without a file
  std::string path;         // as the kernel prints it: "[heap]", "/memfd:NAME (deleted)", …

  std::uint64_t size() const { return end - start; }
  bool same_file(const Mapping& other) const {
    return dev_major == other.dev_major && dev_minor == other.dev_minor && inode == other.inode;
  }
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

// Parses the text of a maps file. Errors: `inconsistent` for a malformed line or one out of order.
base::Result<std::vector<Mapping>> parse_mappings(std::string_view text);

// The mappings of a process, ascending. Errors: `denied` (see rights.h), `gone`, `inconsistent`.
base::Result<std::vector<Mapping>> mappings(pid_t pid, const ProcRoot& proc = {});

}  // namespace vitrine::host
