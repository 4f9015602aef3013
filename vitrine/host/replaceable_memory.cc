#include "vitrine/host/replaceable_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "vitrine/host/process.h"
#include "vitrine/host/vm_flags.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

base::Error not_replaceable(const std::string& why) {
  return {Code::unsupported, "the VM's memory cannot be replaced, since " + why,
          "use --technique process-vm, or start the VM with shared RAM"};
}

// Why a mapping with these flags (proc(5), VmFlags) cannot be replaced; empty if it can.
std::string objection(const FlaggedMapping& mapping) {
  static constexpr auto kObjections = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"sh", "it is shared with others"},
      {"ht", "it is made of reserved huge pages"},
      {"lo", "it is locked (mlock), which what takes its place would not be"},
      {"um", "userfaultfd watches it: a migration or a snapshot is under way"},
      {"uw", "userfaultfd watches it: a migration or a snapshot is under way"},
      {"ui", "userfaultfd watches it: a migration or a snapshot is under way"},
      {"pf", "it is a device's"},
      {"io", "it is a device's"},
  });
  for (const auto& [flag, why] : kObjections)
    if (mapping.has(flag)) return std::string(why);
  if (!mapping.has("rd") || !mapping.has("wr")) return "it is not mapped readable and writable";
  return {};
}

std::vector<int> advices_of(const FlaggedMapping& mapping) {
  static constexpr auto kAdvices = std::to_array<std::pair<std::string_view, int>>({
      {"dc", MADV_DONTFORK},
      {"dd", MADV_DONTDUMP},
      {"hg", MADV_HUGEPAGE},
      {"nh", MADV_NOHUGEPAGE},
  });
  std::vector<int> advices;
  for (const auto& [flag, advice] : kAdvices)
    if (mapping.has(flag)) advices.push_back(advice);
  return advices;
}

}  // namespace

base::Result<void> nothing_pinned(pid_t pid) {
  const auto status = read_file(ProcRoot().of(pid, "status"));
  if (!status) return fail(status.error());
  if (status_number(*status, "VmPin").value_or(0) == 0) return {};
  return fail(not_replaceable("the host's kernel holds pages of the VMM (VmPin)"));
}

base::Result<std::vector<ReplaceablePiece>> replaceable_pieces(pid_t pid,
                                                               std::span<const HostRange> ranges) {
  if (auto free = nothing_pinned(pid); !free) return fail(free.error());
  const auto mappings = vm_flags(pid);
  if (!mappings) return fail(mappings.error());
  std::vector<ReplaceablePiece> pieces;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    base::HostVirtual covered = ranges[i].start;
    const base::HostVirtual last = ranges[i].end();
    for (const FlaggedMapping& mapping : *mappings) {
      if (mapping.end <= covered || covered >= last) continue;
      if (mapping.start > covered) break;
      if (const std::string why = objection(mapping); !why.empty())
        return fail(not_replaceable(why));
      const base::HostVirtual end = std::min(last, mapping.end);
      pieces.push_back({i, covered, end - covered, advices_of(mapping)});
      covered = end;
    }
    if (covered < last) return fail(not_replaceable("it is not mapped throughout"));
  }
  return pieces;
}

}  // namespace vitrine::host
