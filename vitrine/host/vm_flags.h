// What the host kernel was told about parts of a process's memory: the VmFlags of /proc/PID/smaps.
//
// Thread contract: independent reads of procfs. Cost: the kernel walks the page tables of the whole
// process, some 10 ms for each GB that is resident; the process waits only where it maps memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

struct FlaggedMapping {
  base::HostVirtual start;
  base::HostVirtual end;
  std::string flags;  // two letters each, separated by blanks: proc(5), e.g. "rd wr mr mw me dc ac"

  // Whether the flag of these two letters is set.
  bool has(std::string_view flag) const;
};

// Parses the text of a smaps file. Error: `inconsistent` for a malformed header line.
base::Result<std::vector<FlaggedMapping>> parse_vm_flags(std::string_view text);

// Errors: as read_file.
base::Result<std::vector<FlaggedMapping>> vm_flags(pid_t pid, const ProcRoot& proc = {});

}  // namespace vitrine::host
