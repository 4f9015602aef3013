#include "vitrine/host/host_range.h"

#include <fmt/format.h>

#include <charconv>

namespace vitrine::host {

std::vector<HostRange> ranges_of_text(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  while (text.starts_with(' ')) {
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data() + 1, text.data() + text.size(), number, 16);
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    numbers.push_back(number);
  }
  std::vector<HostRange> ranges;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2)
    ranges.push_back({base::HostVirtual(numbers[i]), numbers[i + 1]});
  return ranges;
}

std::string ranges_text(std::span<const HostRange> ranges) {
  std::string text;
  for (const HostRange& range : ranges)
    text += fmt::format(" {:x} {:x}", range.start.value, range.size);
  return text;
}

}  // namespace vitrine::host
