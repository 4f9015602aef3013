// Arithmetic of pages, and of what they hold.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "vitrine/base/address.h"

namespace vitrine::base {

// The next multiple of the page size; wraps within the last page of 64 bits.
constexpr std::uint64_t page_up(std::uint64_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

// Whether all bytes are zero, as those of nothing are.
inline bool is_zero(std::span<const std::byte> bytes) {
  // Each byte equals its neighbour, and the first is zero: memcmp is the fastest scan there is.
  return bytes.empty() || (bytes[0] == std::byte{} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace vitrine::base
