// A hostile guest's rows as a table. Each row is one line, each line is harmless text within the
// terminal's width, and the tree of processes has every row once.
#include <algorithm>

#include "apps/cli/character.h"
#include "apps/cli/process_list.h"
#include "apps/cli/table.h"
#include "fuzz/fuzzer.h"
#include "fuzz/guest_rows.h"
#include "fuzz/require.h"

namespace {

using namespace vitrine;
using fuzz::require;

void check_harmless(std::string_view line) {
  while (!line.empty()) {
    const cli::Character character = cli::first_character(line);
    require(character.code_point && !cli::is_deceptive(*character.code_point));
    line.remove_prefix(character.length);
  }
}

// What no table can do without: its first column, and with leave_out false the headings.
std::size_t least_width(const cli::TableStyle& style) {
  constexpr std::size_t kNumber = 26;  // "-9223372036854775808", a size, a time
  return style.leave_out ? kNumber : fuzz::kColumns.size() * kNumber;
}

void check_table(const std::vector<views::Row>& rows, const cli::TableStyle& style) {
  const cli::Table table = cli::make_table(fuzz::kColumns, rows, style);
  std::string_view text = table.text;
  std::size_t lines = 0;
  for (; !text.empty(); ++lines) {
    const std::size_t end = text.find('\n');
    require(end != text.npos);
    const std::string_view line = text.substr(0, end);
    check_harmless(line);
    if (style.width != 0)
      require(cli::columns_of(line) <= std::max(style.width, least_width(style)));
    text.remove_prefix(end + 1);
  }
  require(lines == rows.size() + 1);
  require(table.notes.size() <= 12);
  for (const std::string& note : table.notes) check_harmless(note);
}

void check_tree(const std::vector<views::Row>& rows) {
  auto numbered = rows;
  for (std::size_t i = 0; i < numbered.size(); ++i) numbered[i].values[6] = std::uint64_t{i};
  cli::arrange_as_tree(fuzz::kColumns, numbered);
  require(numbered.size() == rows.size());
  std::vector<bool> seen(rows.size());
  for (const views::Row& row : numbered) {
    const auto number = std::get<std::uint64_t>(row.values[6]);
    require(!seen[number]);
    seen[number] = true;
    const auto* was = std::get_if<std::string>(&rows[number].values[3]);
    const auto* is = std::get_if<std::string>(&row.values[3]);
    require((was == nullptr) == (is == nullptr) && (was == nullptr || is->ends_with(*was)));
    require(is == nullptr || is->size() - was->size() <= 80);
  }
}

}  // namespace

VITRINE_FUZZER(table) {
  FuzzedDataProvider input(data, size);
  cli::TableStyle style;
  style.width = input.ConsumeIntegral<std::uint8_t>();
  style.leave_out = input.ConsumeBool();
  const auto rows = fuzz::any_rows(input, 12);
  check_table(rows, style);
  check_tree(rows);
  return 0;
}
