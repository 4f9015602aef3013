#include "vitrine/views/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace vitrine::views {

// Page by page: it may end just before one that is not there.
base::Result<std::string> read_text(memory::VirtualMemory& memory, base::GuestVirtual at,
                                    std::size_t most) {
  std::string text;
  for (bool ended = false; text.size() < most && !ended;) {
    const base::GuestVirtual from = at + text.size();
    std::vector<char> part(
        std::min<std::size_t>(most - text.size(), base::kPage - from.value % base::kPage));
    if (auto read = memory.read(from, std::as_writable_bytes(std::span(part))); !read)
      return base::fail(read.error());
    const auto end = std::ranges::find(part, '\0');
    ended = end != part.end();
    text.append(part.begin(), end);
  }
  return text;
}

std::string device_name(std::uint32_t device) {
  return fmt::format("{}:{}", device >> 20, device & 0xfffff);
}

}  // namespace vitrine::views
