// How one value is written in a table, by the type of its column.
//
// Thread contract: pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "vitrine/views/value.h"

namespace vitrine::cli {

// A size in bytes with a binary unit, e.g. "512 B", "1.5 KiB", "2.0 GiB".
std::string size_text(std::uint64_t bytes);

// Nanoseconds as seconds, e.g. "12.345 s"; cut, not rounded, so that a time never lies in the
// future.
std::string seconds_text(std::int64_t nanoseconds);
std::string seconds_text(std::uint64_t nanoseconds);

// The value for people, harmless on a terminal; "-" where it is null. A value that does not fit the
// column's type is shown as what it is.
std::string cell_text(const views::Value& value, views::Type type);

// Whether a column of this type is aligned to the right.
bool aligns_right(views::Type type);

// What stands over the column: its heading, or its name in upper case without the unit that
// cell_text adds to every value ("rss_bytes" becomes "RSS").
std::string heading_of(const views::Column& column);

}  // namespace vitrine::cli
