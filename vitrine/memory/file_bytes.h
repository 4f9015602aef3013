// Reading a file of unknown making: exactly the bytes asked for, or an error.
//
// Thread contract: independent calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::memory {

// Files and mappings count in signed 64 bits; half of that keeps sums of two places from wrapping.
inline constexpr std::uint64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 2;

// Fills `into` from `offset` of the file. `what` names the file in messages, e.g. "core file".
// Errors: `inconsistent` where the file ends too early; pread's.
base::Result<void> read_exactly(int file, std::uint64_t offset, std::span<std::byte> into,
                                std::string_view what);

// The size in bytes. Errors: fstat's.
base::Result<std::uint64_t> file_size(int file, std::string_view what);

}  // namespace vitrine::memory
