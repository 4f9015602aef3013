// The folder on disk in which hints and answers are kept between runs: $XDG_CACHE_HOME/vitrine or
// ~/.cache/vitrine, for the user alone. Everything in it may be deleted at any time.
//
// Thread contract: independent calls may run in parallel; files are replaced atomically.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::session {

// The folder, made if need be; nothing unless it is ours and nobody else can look into it.
std::optional<std::filesystem::path> cache_folder();

// What a file there holds, at most `limit` bytes; nothing where it is missing, not the user's own,
// larger, or no longer what was written (each file begins with a checksum of the rest).
std::optional<std::string> read_cached(std::string_view name, std::size_t limit);

// Replaces a file there. Failure only costs speed.
void write_cached(std::string_view name, std::string_view text);

// Removes all files that begin with `prefix` but `keep` of them, those written last.
void trim_cached(std::string_view prefix, std::size_t keep);

}  // namespace vitrine::session
