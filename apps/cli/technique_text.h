// The taxonomy as people read it: a paragraph per technique on a terminal, a table in Markdown for
// the documentation. Both come from the techniques' own descriptions.
//
// Thread contract: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "vitrine/techniques/technique.h"

namespace vitrine::cli {

// A technique and, where a VM was asked about, whether it can be used there now.
struct TechniqueEntry {
  techniques::Description about;
  std::optional<base::Result<void>> usable;
};

// A paragraph each, lines of at most `width` columns (100 where it is 0).
std::string techniques_text(std::span<const TechniqueEntry> entries, std::size_t width);

// The table of the README.
std::string techniques_markdown(std::span<const TechniqueEntry> entries);

// `text` in lines of at most `width` columns, each after the first begun with `indent` blanks; the
// first begins at column `indent`, too. A word that is longer than a line stays whole.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace vitrine::cli
