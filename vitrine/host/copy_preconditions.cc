#include "vitrine/host/copy_preconditions.h"

#include <linux/capability.h>

#include <algorithm>

#include "vitrine/host/orphan_copy.h"
#include "vitrine/host/remote_errand.h"
#include "vitrine/host/thread_stop.h"
#include "vitrine/host/vm_flags.h"

namespace vitrine::host {
namespace {

using base::fail;

bool may_suspend_seccomp() {
  const auto status = read_file(ProcRoot().of("self/status"));
  const auto capabilities = status_number(status.value_or(""), "CapEff", 16).value_or(0);
  return (capabilities >> CAP_SYS_ADMIN & 1) != 0;
}

}  // namespace

base::Result<std::vector<HostRange>> marked_ranges(pid_t pid, std::span<const HostRange> ranges) {
  const auto mappings = vm_flags(pid);
  if (!mappings) return fail(mappings.error());
  std::vector<HostRange> found;
  for (const HostRange& range : ranges) {
    for (const FlaggedMapping& mapping : *mappings) {
      const base::HostVirtual start = std::max(range.start, mapping.start);
      const base::HostVirtual end = std::min(range.end(), mapping.end);
      if (start >= end) continue;
      if (mapping.has("sh")) return fail(cannot_be_copied("it is shared with others"));
      if (mapping.has("ht")) return fail(cannot_be_copied("it is made of reserved huge pages"));
      if (mapping.has("wf")) return fail(cannot_be_copied("it is marked to be wiped in copies"));
      if (mapping.has("um") || mapping.has("uw") || mapping.has("ui"))
        return fail(
            cannot_be_copied("userfaultfd watches it: a migration or a snapshot is under way"));
      if (mapping.has("dc")) found.push_back({start, end - start});
    }
  }
  return found;
}

base::Result<void> can_be_copied(const ProcessIdentity& process,
                                 std::span<const HostRange> ranges) {
  if (auto stoppable = can_be_stopped(process); !stoppable) return stoppable;
  if (auto marked = marked_ranges(process.pid, ranges); !marked) return fail(marked.error());
  if (under_seccomp(process.pid) && !may_suspend_seccomp()) return fail(seccomp_in_the_way());
  return {};
}

}  // namespace vitrine::host
