#include "vitrine/vmm/memory_tree.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace vitrine::vmm {
namespace {

constexpr std::string_view kRemedy =
    "please report this version of QEMU; meanwhile the memory "
    "layout can be found without the monitor";

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<std::uint64_t> take_hex(std::string_view& text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (parsed.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

// "INDENT START-LAST (prio N, TYPE): NAME", addresses in hex and LAST inclusive.
struct TreeLine {
  std::size_t indent = 0;
  std::uint64_t start = 0;
  std::uint64_t last = 0;
  std::string_view type;
  std::string_view name;  // and whatever follows it

  // Containers reach the end of the address space, RAM never does.
  bool endless() const { return last == UINT64_MAX; }
  memory::Range range() const { return {base::GuestPhysical(start), last - start + 1}; }
};

std::optional<TreeLine> parse_tree_line(std::string_view line) {
  TreeLine result;
  result.indent = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(result.indent);
  const auto start = take_hex(line);
  if (!start || !line.starts_with('-')) return std::nullopt;
  line.remove_prefix(1);
  const auto last = take_hex(line);
  if (!last || *last < *start || !line.starts_with(" (prio ")) return std::nullopt;
  const auto comma = line.find(", ");
  const auto close = line.find("): ");
  if (comma == std::string_view::npos || close == std::string_view::npos || comma > close)
    return std::nullopt;
  result.start = *start;
  result.last = *last;
  result.type = line.substr(comma + 2, close - comma - 2);
  result.name = line.substr(close + 3);
  return result;
}

// Splits "NAME @OFFSET[ more]" or "NAME[ KVM]".
FlatRange flat_range(const TreeLine& line) {
  FlatRange range{line.range(), {}, 0};
  std::string_view name = line.name;
  const auto at = name.rfind(" @");
  if (at != std::string_view::npos) {
    std::string_view digits = name.substr(at + 2);
    if (const auto offset = take_hex(digits)) {
      range.offset = *offset;
      name = name.substr(0, at);
    }
  }
  constexpr std::string_view kAccelerated = " KVM";
  if (name.ends_with(kAccelerated)) name.remove_suffix(kAccelerated.size());
  range.block = name;
  return range;
}

void append_merged(std::vector<FlatRange>& list, FlatRange range) {
  if (!list.empty()) {
    FlatRange& last = list.back();
    if (last.range.end() == range.range.start && last.block == range.block &&
        last.offset + last.range.size == range.offset) {
      last.range.size += range.range.size;
      return;
    }
  }
  list.push_back(std::move(range));
}

std::vector<memory::Range> united(std::vector<memory::Range> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const memory::Range& a, const memory::Range& b) { return a.start < b.start; });
  std::vector<memory::Range> result;
  for (const memory::Range& range : ranges) {
    if (result.empty() || range.start > result.back().end()) {
      result.push_back(range);
    } else if (range.end() > result.back().end()) {
      result.back().size = range.end() - result.back().start;
    }
  }
  return result;
}

// "NAME" or "alias NAME @BLOCK START-LAST".
void add(SystemRam& ram, const TreeLine& line) {
  ram.ranges.push_back(line.range());
  const auto target = line.name.rfind(" @");
  if (!line.name.starts_with("alias ") || target == std::string_view::npos) {
    ram.blocks.emplace_back(line.name);
    return;
  }
  const std::string_view block = line.name.substr(target + 2);
  ram.blocks.emplace_back(block.substr(0, block.rfind(' ')));
}

}  // namespace

base::Result<std::vector<FlatRange>> parse_flat_view(std::string_view text) {
  bool wanted = false;
  std::vector<FlatRange> list;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with("FlatView")) {
      if (wanted) break;
    } else if (line.starts_with(" AS \"memory\",")) {
      wanted = true;
    } else if (wanted) {
      const auto parsed = parse_tree_line(line);
      if (!parsed || parsed->endless()) continue;
      if (!list.empty() && parsed->start < list.back().range.end().value) {
        return base::fail(base::Code::inconsistent, "QEMU's flat view of memory overlaps itself");
      }
      if (parsed->type != "ram" && parsed->type != "rom") continue;
      FlatRange range = flat_range(*parsed);
      if (range.offset > UINT64_MAX - range.range.size)
        return base::fail(base::Code::inconsistent, "QEMU's flat view reaches beyond a RAM block");
      append_merged(list, std::move(range));
    }
  }
  if (!list.empty()) return list;
  return base::fail(base::Code::unsupported, "QEMU's flat view of memory shows no RAM",
                    std::string(kRemedy));
}

base::Result<SystemRam> parse_system_ram(std::string_view text) {
  bool wanted = false;
  std::size_t root_indent = 0;
  SystemRam named;   // by the names a PC's machine code gives its RAM
  SystemRam direct;  // whatever RAM is directly in the root, firmware perhaps included
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line == "address-space: memory") wanted = true;
    if (!wanted) continue;
    if (line.empty()) break;  // the end of this address space
    const auto parsed = parse_tree_line(line);
    if (!parsed || parsed->name.ends_with("[disabled]")) continue;
    if (root_indent == 0) root_indent = parsed->indent;
    if (parsed->indent != root_indent + 2 || parsed->endless()) continue;
    // With several NUMA backends the target is a container, and so its type is not "ram".
    if (parsed->name.starts_with("alias ram-below-4g ") ||
        parsed->name.starts_with("alias ram-above-4g ")) {
      add(named, *parsed);
    } else if (parsed->type == "ram") {
      add(direct, *parsed);
    }
  }
  SystemRam& result = named.ranges.empty() ? direct : named;
  result.ranges = united(std::move(result.ranges));
  if (!result.ranges.empty()) return std::move(result);
  return base::fail(base::Code::unsupported, "QEMU's memory tree shows no system RAM",
                    std::string(kRemedy));
}

}  // namespace vitrine::vmm
