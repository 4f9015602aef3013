// Memory images in LiME's format: each range of RAM, one after the other, behind a header that says
// where it was (LiME, src/lime.h; version 1, the padded and the raw form have none).
//
// Thread contract: independent calls. Nothing in the file is believed: counts and sums are bounded.
#pragma once

#include <cstdint>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/memory/image_memory.h"

namespace vitrine::memory {

inline constexpr std::uint32_t kLimeMagic = 0x4c694d45;  // "EMiL" in the file

// The ranges that `file`, open for reading, holds; sorted and disjoint. Errors: `unsupported` for
// another version, `inconsistent` for one that is truncated or contradicts itself, pread's.
base::Result<std::vector<ImageExtent>> read_lime(int file);

}  // namespace vitrine::memory
