// Looks through a kernel's image, part by part, where no table says what is where.
//
// Thread contract: as the memory. Cost: a read of the image up to what is found; pages that are not
// mapped, as those of freed parts, cost a page walk each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

// No kernel's data ends farther from its _stext.
inline constexpr std::uint64_t max_image_bytes = 256U << 20;

// Calls `on_part` with each piece of what is mapped in [from, from + max_image_bytes), in ascending
// order, until it returns false: up to 1 MiB each, page-aligned but for the first. Ends early where
// nothing is mapped for long.
using OnPart = std::function<bool(base::GuestVirtual, std::span<const std::byte>)>;
void scan_image(memory::VirtualMemory& memory, base::GuestVirtual from, const OnPart& on_part);

// Calls `on_hit` for each place of `wanted` there, until it returns false. One that lies across a
// hole is not found. REQUIRES: wanted is not empty and shorter than a page.
using OnHit = std::function<bool(base::GuestVirtual)>;
void find_in_image(memory::VirtualMemory& memory, base::GuestVirtual from,
                   std::span<const std::byte> wanted, const OnHit& on_hit);

// As much as is mapped without a gap around an address.
struct Window {
  base::GuestVirtual start;
  std::vector<std::byte> bytes;

  bool contains(base::GuestVirtual at, std::uint64_t size) const {
    const std::uint64_t offset = at - start;
    return offset <= bytes.size() && size <= bytes.size() - offset;
  }
  // What follows `at`; nothing where that is not in it.
  std::span<const std::byte> from(base::GuestVirtual at) const {
    return contains(at, 0) ? std::span(bytes).subspan(at - start) : std::span<const std::byte>();
  }
  template <class T>
  std::optional<T> value(base::GuestVirtual at) const {
    if (!contains(at, sizeof(T))) return std::nullopt;
    T value{};
    std::memcpy(&value, bytes.data() + (at - start), sizeof value);
    return value;
  }
};

// Copies what is mapped of the `before` bytes before `at` and the `after` bytes from there on.
Window read_around(memory::VirtualMemory& memory, base::GuestVirtual at, std::uint64_t before,
                   std::uint64_t after);

}  // namespace vitrine::kernel
