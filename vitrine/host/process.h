// A process on this host: who it is, what it runs, and whether it is still the same one.
//
// Thread contract: plain values and independent reads of procfs. No effect on the guest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/proc_root.h"

namespace vitrine::host {

// A process that cannot be mistaken for a later one of the same number.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  // clock ticks since the host booted

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};

// What /proc/PID/stat says (proc(5)).
struct ProcessStat {
  ProcessIdentity identity;
  std::string comm;                // may hold any byte, blanks and parentheses included
  char state = '?';                // one letter as in ps
  std::uint64_t minor_faults = 0;  // pages that all its threads had to be given or copied
};

// Errors: `gone` where there is no such process, `inconsistent` where the line is malformed.
base::Result<ProcessStat> process_stat(pid_t pid, const ProcRoot& proc = {});

base::Result<ProcessIdentity> identify(pid_t pid, const ProcRoot& proc = {});

// Whether the very same process still runs; a zombie has no memory any more and counts as ended.
bool alive(const ProcessIdentity& process, const ProcRoot& proc = {});

// The first number after "LABEL:" in the text of /proc/PID/status; nothing where there is none.
std::optional<std::uint64_t> status_number(std::string_view status, std::string_view label,
                                           int base = 10);

// The ids of the process's threads, ascending; empty if procfs cannot be listed.
std::vector<pid_t> threads(pid_t pid, const ProcRoot& proc = {});

// argv; empty for kernel threads and zombies. Errors: as read_file.
base::Result<std::vector<std::string>> arguments(pid_t pid, const ProcRoot& proc = {});

// The path of the executable, symbolic links resolved, without the kernel's " (deleted)".
base::Result<std::string> executable(pid_t pid, const ProcRoot& proc = {});

// The id of the process that thread `tid` belongs to; /proc/TID exists for every thread.
base::Result<pid_t> process_of_thread(pid_t tid, const ProcRoot& proc = {});

// Process ids in ascending order; empty if procfs cannot be listed.
std::vector<pid_t> processes(const ProcRoot& proc = {});

// "TEXT" without a " (deleted)" at its end, which the kernel appends to names of unlinked files.
std::string without_deleted_mark(std::string path);

}  // namespace vitrine::host
