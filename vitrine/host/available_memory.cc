#include "vitrine/host/available_memory.h"

#include <charconv>
#include <string>

#include "vitrine/host/proc_root.h"

namespace vitrine::host {

std::uint64_t available_memory() {
  const std::string text = read_file(ProcRoot().of("meminfo")).value_or("");
  const auto line = text.find("MemAvailable:");
  const auto digits = text.find_first_of("0123456789", line);
  std::uint64_t kibibytes = 0;
  if (line != std::string::npos && digits != std::string::npos)
    std::from_chars(text.data() + digits, text.data() + text.size(), kibibytes);
  return kibibytes << 10;
}

}  // namespace vitrine::host
