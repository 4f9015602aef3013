// Frames, errors and shortened text on a terminal, made of a guest's strings. A frame never makes
// the screen scroll, an error is lines of harmless text, a shortened text fits.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>

#include "apps/cli/character.h"
#include "apps/cli/error.h"
#include "apps/cli/terminal.h"
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"

namespace {

using namespace vitrine;
using fuzz::require;

void check_frame(const std::string& body, std::size_t height) {
  cli::Terminal terminal;
  require(cli::next_frame(body, terminal) == body);
  terminal.cursor = terminal.interactive = true;
  terminal.height = height;
  const std::string frame = cli::next_frame(body, terminal);
  // The line feed of the last line would scroll.
  const auto feeds = static_cast<std::size_t>(std::ranges::count(frame, '\n'));
  require(height == 0 || feeds < height);
  const auto lines = static_cast<std::size_t>(std::ranges::count(body, '\n'));
  require(height != 0 || feeds == lines + (!body.empty() && body.back() != '\n'));
}

void check_shortened(const std::string& text, std::size_t columns) {
  const std::string shown = cli::truncate_to(text, columns);
  if (columns == 0 || cli::columns_of(text) <= columns) {
    require(shown == text);
    return;
  }
  constexpr std::string_view kEllipsis = "…";
  require(cli::columns_of(shown) <= columns && shown.ends_with(kEllipsis));
  require(text.starts_with(shown.substr(0, shown.size() - kEllipsis.size())));
}

void check_error(const base::Error& error) {
  const std::string whole = cli::error_text(error);
  std::string_view text = whole;
  require(text.ends_with('\n') && std::ranges::count(text, '\n') <= 2);
  while (!text.empty()) {
    const cli::Character character = cli::first_character(text);
    require(character.code_point.has_value());
    require(text.front() == '\n' || !cli::is_deceptive(*character.code_point));
    text.remove_prefix(character.length);
  }
}

}  // namespace

VITRINE_FUZZER(terminal) {
  FuzzedDataProvider input(data, size);
  const std::size_t columns = input.ConsumeIntegralInRange<std::size_t>(0, 40);
  const std::size_t height = input.ConsumeIntegralInRange<std::size_t>(0, 12);
  base::Error error;
  error.message = input.ConsumeRandomLengthString(60);
  error.remedy = input.ConsumeRandomLengthString(60);
  error.call = input.ConsumeRandomLengthString(20);
  check_error(error);
  const std::string body = input.ConsumeRemainingBytesAsString();
  check_frame(body, height);
  check_shortened(body, columns);
  return 0;
}
