// Shell patterns over hostile text. fnmatch(3) depends on the locale and takes exponential time on
// patterns with many stars; this takes at most pattern length times text length.
//
// Thread contract: pure function.
#pragma once

#include <string_view>

namespace vitrine::cli {

// Whether the whole text matches: "*" stands for any characters, "?" for one (a byte where the
// text is no UTF-8), everything else for itself.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace vitrine::cli
