#include "apps/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "apps/cli/character.h"
#include "apps/cli/columns.h"
#include "apps/cli/escape.h"
#include "apps/cli/format.h"

namespace vitrine::cli {
namespace {

using views::Column;
using views::Row;
using views::Type;

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

constexpr std::size_t kGap = 2;
// Shortened text keeps this much: enough to tell processes apart.
constexpr std::size_t kNarrowestText = 8;

struct Cell {
  std::string text;
  std::string_view paint = {};
};

struct Field {
  const Column* column;
  std::vector<Cell> cells;  // the heading first
  std::size_t natural = 0;  // the width that shows every cell whole
  std::size_t width = 0;

  bool is_text() const { return column->type == Type::text; }
};

Cell make_cell(const Row& row, std::size_t index, const Column& column) {
  if (is_unreadable(row, column.name)) return {"?", kYellow};
  if (index >= row.values.size() || std::holds_alternative<std::monostate>(row.values[index]))
    return {"-", kDim};
  return {cell_text(row.values[index], column.type)};
}

std::vector<Field> make_fields(std::span<const Column> columns, std::span<const Row> rows) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Field field{&columns[i], {{heading_of(columns[i]), kBold}}};
    for (const Row& row : rows) field.cells.push_back(make_cell(row, i, columns[i]));
    for (const Cell& cell : field.cells)
      field.natural = std::max(field.natural, columns_of(cell.text));
    field.width = field.natural;
    fields.push_back(std::move(field));
  }
  return fields;
}

std::size_t total_width(const std::vector<Field>& fields) {
  std::size_t total = 0;
  for (const Field& field : fields) total += field.width + kGap;
  return total - (fields.empty() ? 0 : kGap);
}

// Takes one column at a time from the widest text, the rightmost of equals; ends because widths
// fall.
void shorten_text(std::vector<Field>& fields, std::size_t width) {
  for (std::size_t excess = total_width(fields); excess > width; --excess) {
    Field* widest = nullptr;
    for (Field& field : fields) {
      const std::size_t narrowest = std::max(kNarrowestText, columns_of(field.cells.front().text));
      if (!field.is_text() || field.width <= narrowest) continue;
      if (!widest || field.width >= widest->width) widest = &field;
    }
    if (!widest) return;
    --widest->width;
  }
}

// The names of the columns left out, in their order.
std::vector<std::string_view> leave_out(std::vector<Field>& fields, std::size_t width) {
  std::vector<std::string_view> names;
  // Text says most, and what stands first names the row: both stay longest.
  for (const bool text : {false, true}) {
    for (std::size_t i = fields.size(); i-- > 1 && total_width(fields) > width;) {
      if (fields[i].is_text() != text) continue;
      names.insert(names.begin(), fields[i].column->name);
      fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return names;
}

std::optional<std::string> fit(std::vector<Field>& fields, const TableStyle& style) {
  if (style.width == 0 || total_width(fields) <= style.width) return std::nullopt;
  shorten_text(fields, style.width);
  if (total_width(fields) <= style.width || !style.leave_out) return std::nullopt;
  const auto names = leave_out(fields, style.width);
  for (Field& field : fields) field.width = field.natural;
  shorten_text(fields, style.width);
  return fmt::format("left out to fit {} columns: {} (--columns chooses, --json has all)",
                     style.width, fmt::join(names, ", "));
}

void append_cell(std::string& line, const Field& field, const Cell& cell, bool last, bool colour) {
  const std::string shown = truncate_to(cell.text, field.width);
  const std::size_t used = columns_of(shown);
  const std::string padding(field.width > used ? field.width - used : 0, ' ');
  const bool right = aligns_right(field.column->type);
  if (right) line += padding;
  if (colour && !cell.paint.empty())
    line.append(cell.paint).append(shown).append(kPlain);
  else
    line += shown;
  if (!last && !right) line += padding;
  if (!last) line.append(kGap, ' ');
}

}  // namespace

std::vector<std::string> unreadable_notes(std::span<const Row> rows) {
  constexpr std::size_t kMostNotes = 10;
  std::map<std::string, std::size_t> counts;
  for (const Row& row : rows)
    for (const views::FieldError& error : row.errors)
      ++counts[fmt::format("{}: {} ({})", error.field, for_terminal(error.message),
                           base::name(error.code))];
  std::vector<std::pair<std::string, std::size_t>> reasons(counts.begin(), counts.end());
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> notes;
  for (const auto& [reason, count] : reasons) {
    if (notes.size() == kMostNotes) {
      notes.push_back(
          fmt::format("? {} more reasons (--json has all)", reasons.size() - kMostNotes));
      break;
    }
    notes.push_back(fmt::format("? {}, {} {}", reason, count, count == 1 ? "row" : "rows"));
  }
  return notes;
}

Table make_table(std::span<const Column> columns, std::span<const Row> rows,
                 const TableStyle& style) {
  std::vector<Field> fields = make_fields(columns, rows);
  Table table;
  table.notes = unreadable_notes(rows);
  if (auto note = fit(fields, style)) table.notes.push_back(std::move(*note));
  for (std::size_t line = 0; line <= rows.size(); ++line) {
    for (std::size_t i = 0; i < fields.size(); ++i)
      append_cell(table.text, fields[i], fields[i].cells[line], i + 1 == fields.size(),
                  style.colour);
    table.text += '\n';
  }
  return table;
}

}  // namespace vitrine::cli
