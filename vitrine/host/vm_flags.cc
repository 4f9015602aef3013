#include "vitrine/host/vm_flags.h"

#include <charconv>

namespace vitrine::host {
namespace {

// Takes a line off the front of `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// "START-END PERMISSIONS…"; fields of a mapping begin with a capital letter instead.
bool parse_header(std::string_view line, FlaggedMapping& mapping) {
  const char* const end = line.data() + line.size();
  const auto first = std::from_chars(line.data(), end, mapping.start.value, 16);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return false;
  const auto second = std::from_chars(first.ptr + 1, end, mapping.end.value, 16);
  return second.ec == std::errc{} && second.ptr != end && *second.ptr == ' ' &&
         mapping.start < mapping.end;
}

}  // namespace

bool FlaggedMapping::has(std::string_view flag) const {
  for (std::size_t at = 0; at + 2 <= flags.size(); at += 3)
    if (std::string_view(flags).substr(at, 2) == flag) return true;
  return false;
}

base::Result<std::vector<FlaggedMapping>> parse_vm_flags(std::string_view text) {
  constexpr std::string_view kFlags = "VmFlags: ";
  std::vector<FlaggedMapping> list;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(kFlags)) {
      if (!list.empty()) list.back().flags = line.substr(kFlags.size());
    } else if (!line.empty() && (line.front() < 'A' || line.front() > 'Z')) {
      list.emplace_back();
      if (!parse_header(line, list.back()))
        return base::fail(base::Code::inconsistent, "a line of smaps is malformed");
    }
  }
  return list;
}

base::Result<std::vector<FlaggedMapping>> vm_flags(pid_t pid, const ProcRoot& proc) {
  auto text = read_file(proc.of(pid, "smaps"), 64 << 20);
  if (!text) return base::fail(text.error());
  return parse_vm_flags(*text);
}

}  // namespace vitrine::host
