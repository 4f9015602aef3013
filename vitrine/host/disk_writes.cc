#include "vitrine/host/disk_writes.h"

#include <charconv>

namespace vitrine::host {

std::optional<std::uint64_t> written_to_disks(const ProcRoot& proc, pid_t pid) {
  const auto counters = read_file(proc.of(pid, "io"));
  if (!counters) return std::nullopt;
  constexpr std::string_view kKey = "\nwrite_bytes: ";
  const std::size_t at = counters->find(kKey);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t bytes = 0;
  const char* const end = counters->data() + counters->size();
  const auto parsed = std::from_chars(counters->data() + at + kKey.size(), end, bytes);
  if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != '\n') return std::nullopt;
  return bytes;
}

}  // namespace vitrine::host
