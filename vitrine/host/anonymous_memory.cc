#include "vitrine/host/anonymous_memory.h"

#include "vitrine/host/process.h"

namespace vitrine::host {

std::optional<std::uint64_t> anonymous_memory(const ProcRoot& proc, pid_t pid) {
  const auto status = read_file(proc.of(pid, "status"));
  if (!status) return std::nullopt;
  const auto kibibytes = status_number(*status, "RssAnon");
  if (!kibibytes) return std::nullopt;
  return *kibibytes << 10;
}

}  // namespace vitrine::host
