// Where copies of VMMs are held for the images that were made of them: sockets in the cache folder,
// named after the images' SHA-256 (host/process_copy.h).
//
// Thread contract: independent calls may run in parallel.
#pragma once

#include <filesystem>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::session {

// Error: `denied` where there is no folder that only the user can look into.
base::Result<std::filesystem::path> held_copy_path(std::string_view sha256);

// Whether any copy seems to be held.
bool copies_are_held();

// Ends the copy that is held for an image, if there is one. Bounded: a few seconds.
void release_copy(std::string_view sha256);

}  // namespace vitrine::session
