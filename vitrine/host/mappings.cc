#include "vitrine/host/mappings.h"

#include <charconv>

#include "vitrine/host/rights.h"

namespace vitrine::host {
namespace {

// Takes fields off the front of one line.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  template <class Number>
  bool number(Number& value, int base, char terminator) {
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    if (error != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (rest_.empty()) return terminator == ' ';  // the last number of a line without a path
    if (rest_.front() != terminator) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool permissions(Mapping& mapping) {
    if (rest_.size() < 5 || rest_[4] != ' ') return false;
    mapping.read = rest_[0] == 'r';
    mapping.write = rest_[1] == 'w';
    mapping.exec = rest_[2] == 'x';
    mapping.shared = rest_[3] == 's';
    rest_.remove_prefix(5);
    return true;
  }

  std::string_view path() const {
    const auto begin = rest_.find_first_not_of(' ');
    return begin == std::string_view::npos ? std::string_view{} : rest_.substr(begin);
  }

 private:
  std::string_view rest_;
};

// The kernel writes a line feed within a path as \012 and leaves all else as it is.
std::string unescaped(std::string_view path) {
  constexpr std::string_view kLineFeed = "\\012";
  std::string text;
  while (true) {
    const auto at = path.find(kLineFeed);
    text += path.substr(0, at);
    if (at == std::string_view::npos) return text;
    text += '\n';
    path.remove_prefix(at + kLineFeed.size());
  }
}

bool parse_line(std::string_view text, Mapping& mapping) {
  Line line(text);
  if (!line.number(mapping.start.value, 16, '-') || !line.number(mapping.end.value, 16, ' ') ||
      !line.permissions(mapping) || !line.number(mapping.offset, 16, ' ') ||
      !line.number(mapping.dev_major, 16, ':') || !line.number(mapping.dev_minor, 16, ' ') ||
      !line.number(mapping.inode, 10, ' ')) {
    return false;
  }
  mapping.path = unescaped(line.path());
  return mapping.start < mapping.end;
}

}  // namespace

base::Result<std::vector<Mapping>> parse_mappings(std::string_view text) {
  std::vector<Mapping> list;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    Mapping mapping;
    if (!parse_line(text.substr(0, end), mapping) ||
        (!list.empty() && mapping.start < list.back().end)) {
      return base::fail(base::Code::inconsistent, "the list of a process's mappings is malformed");
    }
    list.push_back(std::move(mapping));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

base::Result<std::vector<Mapping>> mappings(pid_t pid, const ProcRoot& proc) {
  // 64 MiB are some 700,000 mappings; the host's own limit is 65,530 unless it was raised.
  auto text = read_file(proc.of(pid, "maps"), 64 << 20);
  if (!text) {
    if (text.error().code == base::Code::denied) return base::fail(explain_denial(pid, proc));
    if (text.error().code == base::Code::absent) text.error().code = base::Code::gone;
    return base::fail(text.error());
  }
  return parse_mappings(*text);
}

}  // namespace vitrine::host
