// The text of /proc/PID/maps, whose paths are any user's choice. What is accepted is ascending and
// disjoint, and is the same again when written as the kernel writes it.
#include <fmt/format.h>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/host/mappings.h"

namespace {

using vitrine::fuzz::require;
using vitrine::host::Mapping;

// As fs/proc/task_mmu.c, show_map_vma.
std::string line_of(const Mapping& mapping) {
  std::string path;
  for (const char c : mapping.path) c == '\n' ? path += "\\012" : path += c;
  return fmt::format("{:08x}-{:08x} {}{}{}{} {:08x} {:02x}:{:02x} {} {}\n", mapping.start.value,
                     mapping.end.value, mapping.read ? 'r' : '-', mapping.write ? 'w' : '-',
                     mapping.exec ? 'x' : '-', mapping.shared ? 's' : 'p', mapping.offset,
                     mapping.dev_major, mapping.dev_minor, mapping.inode, path);
}

}  // namespace

VITRINE_FUZZER(mappings) {
  const auto mappings = vitrine::host::parse_mappings(vitrine::fuzz::text_of(data, size));
  if (!mappings) return 0;
  vitrine::base::HostVirtual end;
  std::string written;
  for (const Mapping& mapping : *mappings) {
    require(mapping.start >= end && mapping.start < mapping.end);
    end = mapping.end;
    written += line_of(mapping);
  }
  const auto again = vitrine::host::parse_mappings(written);
  require(again && *again == *mappings);
  return 0;
}
