#include "apps/cli/view_text.h"

#include <fmt/format.h>

#include <array>

namespace vitrine::cli {
namespace {

constexpr std::array<views::Column, 4> kViewColumns{{
    {"verb", views::Type::text, "the verb that shows the view"},
    {"column", views::Type::text, "as in JSON"},
    {"type", views::Type::text, "integer, boolean, text, bytes, nanoseconds or address"},
    {"description", views::Type::text, "what it is"},
}};

std::string type_name(views::Type type) {
  constexpr std::array<const char*, 6> kNames{"integer", "boolean",     "text",
                                              "bytes",   "nanoseconds", "address"};
  return kNames.at(static_cast<std::size_t>(type));
}

}  // namespace

std::span<const views::Column> view_columns() { return kViewColumns; }

std::vector<views::Row> rows_of(std::span<const views::Declaration> views) {
  std::vector<views::Row> rows;
  for (const views::Declaration& view : views)
    for (const views::Column& column : view.columns)
      rows.push_back({{std::string(view.verb), std::string(column.name), type_name(column.type),
                       std::string(column.description)},
                      {}});
  return rows;
}

std::string views_markdown(std::span<const views::Declaration> views) {
  std::string text =
      "# Views and their columns\n\nWritten by `vitrine views --markdown` from what the views "
      "declare; a test checks that "
      "it is up to date.\nTables show a choice of the columns: `--columns` another, JSON all. A "
      "statistic "
      "changes all the time, and is left\nout where `--atomic` compares.\n";
  for (const views::Declaration& view : views) {
    text += fmt::format(
        "\n## `{}`: {}\n\nIn JSON, `view` is `{}`.\n\n| column | type | what it is "
        "|\n|---|---|---|\n",
        view.verb, view.summary, view.name);
    for (const views::Column& column : view.columns)
      text += fmt::format("| `{}` | {}{} | {} |\n", column.name, type_name(column.type),
                          column.statistic ? ", statistic" : "", column.description);
  }
  return text;
}

}  // namespace vitrine::cli
