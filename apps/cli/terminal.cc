#include "apps/cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "apps/cli/character.h"
#include "apps/cli/escape.h"

namespace vitrine::cli {
namespace {

constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

std::size_t dimension(const char* name, std::size_t otherwise) {
  constexpr std::size_t kLargest = 10'000;
  const std::string_view text = environment(name);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool valid = error == std::errc() && end == text.data() + text.size();
  return valid && number > 0 && number <= kLargest ? number : otherwise;
}

std::size_t count_lines(std::string_view text) {
  const auto ended = static_cast<std::size_t>(std::ranges::count(text, '\n'));
  return text.empty() || text.back() == '\n' ? ended : ended + 1;
}

}  // namespace

Terminal inspect(int fd) {
  Terminal terminal;
  terminal.interactive = ::isatty(fd) == 1;
  if (!terminal.interactive) return terminal;
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) size = {};
  terminal.width = dimension("COLUMNS", size.ws_col > 0 ? size.ws_col : 80);
  terminal.height = dimension("LINES", size.ws_row);
  const std::string_view type = environment("TERM");
  terminal.cursor = !type.empty() && type != "dumb";
  terminal.colour = terminal.cursor && environment("NO_COLOR").empty();
  return terminal;
}

std::string next_frame(std::string_view body, const Terminal& terminal) {
  if (!terminal.cursor) return std::string(body);
  const std::size_t total = count_lines(body);
  const bool cut = terminal.height > 0 && total >= terminal.height;
  // The cursor rests on the line below the body, which must exist; the notice takes one more.
  const std::size_t kept = !cut ? total : terminal.height >= 2 ? terminal.height - 2 : 0;
  std::string frame(kHome);
  for (std::size_t line = 0; line < kept; ++line) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    frame.append(body.substr(0, end)).append(kClearLine).append("\n");
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  if (cut) {
    frame += fmt::format("… {} more lines{}", total - kept, kClearLine);
    if (terminal.height > 1) frame += '\n';
  }
  return frame.append(kClearBelow);
}

base::Result<void> write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::fail_errno(errno, "write", "the output could not be written");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void Progress::show(std::string_view text) {
  if (!terminal_.cursor) return;
  const std::string line = truncate_to(for_terminal(text), terminal_.width);
  shown_ = true;
  (void)write_fully(fd_, fmt::format("\r{}{}", line, kClearLine));
}

void Progress::clear() {
  if (shown_) (void)write_fully(fd_, fmt::format("\r{}", kClearLine));
  shown_ = false;
}

}  // namespace vitrine::cli
