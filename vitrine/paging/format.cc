#include "vitrine/paging/format.h"

#include <array>

namespace vitrine::paging {
namespace {

constexpr std::array<Level, 5> kLevels{{
    {48, 9, false},  // PGD, five levels only
    {39, 9, false},  // P4D
    {30, 9, true},   // PUD: 1 GiB pages
    {21, 9, true},   // PMD: 2 MiB pages
    {12, 9, true},   // PTE: 4 KiB pages
}};

constexpr Format x86_64(std::string_view name, std::span<const Level> levels,
                        unsigned address_bits) {
  return {.name = name,
          .levels = levels,
          .address_bits = address_bits,
          .address_mask = 0x000f'ffff'ffff'f000,
          .present = 1u << 0,
          .leaf = 1u << 7,
          .writable = 1u << 1,
          .user = 1u << 2,
          .no_execute = std::uint64_t{1} << 63,
          .resident_when_absent = 1u << 8,
          .special = 1u << 9,
          .swap_type_shift = 59,
          .swap_type_mask = 0x1f,
          .accessed_dirty = 1u << 5 | 1u << 6};
}

}  // namespace

const Format x86_64_four_level = x86_64("4-level", std::span(kLevels).subspan(1), 48);
const Format x86_64_five_level = x86_64("5-level", kLevels, 57);

}  // namespace vitrine::paging
