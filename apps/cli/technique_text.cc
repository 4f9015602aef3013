#include "apps/cli/technique_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace vitrine::cli {
namespace {

constexpr std::size_t kLabels = 10;  // columns, "needs" and the like

std::string labelled(std::string_view label, std::string_view text, std::size_t width) {
  return fmt::format("  {:<{}}{}\n", label, kLabels - 2, wrapped(text, width, kLabels));
}

std::string axes(const techniques::Description& about) {
  return fmt::format("cooperation: {}; {}; {}; {}", about.cooperation, about.snapshot,
                     about.liveness, about.access);
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    if (lines.empty()) {
      column += word.size();
    } else if (column + 1 + word.size() > width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent + word.size();
    } else {
      lines += ' ';
      column += 1 + word.size();
    }
    lines += word;
  }
  return lines;
}

std::string techniques_text(std::span<const TechniqueEntry> entries, std::size_t width) {
  if (width == 0) width = 100;
  std::string text;
  for (const TechniqueEntry& entry : entries) {
    const techniques::Description& about = entry.about;
    if (!text.empty()) text += '\n';
    text += wrapped(fmt::format("{}: {}, {}", about.id, about.technique_class, name(about.effect)),
                    width, 2) +
            '\n';
    text += labelled("how", axes(about), width);
    text += labelled("needs", about.demands, width);
    if (!entry.usable) continue;
    text += labelled("usable",
                     entry.usable->has_value() ? "yes" : "no: " + to_string(entry.usable->error()),
                     width);
  }
  return text;
}

std::string techniques_markdown(std::span<const TechniqueEntry> entries) {
  std::string text =
      "| id | class | effect | in the guest | memory | the guest | access | needs |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const TechniqueEntry& entry : entries) {
    const techniques::Description& about = entry.about;
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} | {} |\n", about.id,
                        about.technique_class, name(about.effect), about.cooperation,
                        about.snapshot, about.liveness, about.access, about.demands);
  }
  return text;
}

}  // namespace vitrine::cli
