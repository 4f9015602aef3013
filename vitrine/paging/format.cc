#include "vitrine/paging/format.h"

#include <algorithm>
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
          .address_bits = address_bits - 1,
          .root_mask = 0x000f'ffff'ffff'f000,
          .address_mask = 0x000f'ffff'ffff'f000,
          .present = 1U << 0,
          .leaf_mask = 1U << 7,
          .leaf = 1U << 7,
          .writable = 1U << 1,
          .user = 1U << 2,
          .no_execute = std::uint64_t{1} << 63,
          .accessed = 1U << 5,
          .dirty = 1U << 6,
          .global = 1U << 8,
          .resident_when_absent = 1U << 8,
          .special = 1U << 9,
          .swap_type_shift = 59,
          .swap_type_mask = 0x1f,
          .changing = 1U << 5 | 1U << 6,
          .inverted_when_absent = true};
}

// What differs between the formats of arm64 with pages of 1 << Page bytes and Address bits of
// virtual address: their levels follow from both. A block, which an entry above the last level may
// map, is at most as large as the architecture knows it for that size of pages.
template <unsigned Page, unsigned Address>
struct Arm64Levels {
  static constexpr unsigned kIndexBits = Page - 3;
  static constexpr std::size_t kCount = (Address - Page + kIndexBits - 1) / kIndexBits;

  static constexpr std::array<Level, kCount> make() {
    std::array<Level, kCount> made{};
    for (std::size_t i = 0; i < kCount; ++i) {
      const unsigned below = static_cast<unsigned>(kCount - 1 - i);
      const unsigned shift = Page + kIndexBits * below;
      const unsigned bits = std::min(kIndexBits, Address - shift);
      // D8.3.1: 512 GiB, 64 GiB and 4 TiB are blocks of addresses of 52 bits only.
      const unsigned largest = Page == 12   ? (Address > 48 ? 39 : 30)
                               : Page == 14 ? (Address > 48 ? 36 : 25)
                                            : (Address > 48 ? 42 : 29);
      made[i] = {shift, bits, shift <= largest};
    }
    return made;
  }
  static constexpr std::array<Level, kCount> levels = make();
};

// Of 52 bits of physical address, the highest four are in bits 15:12 with pages of 64 KiB (LPA),
// the highest two in bits 9:8 with smaller ones and addresses of 52 bits (LPA2).
template <unsigned Page, unsigned Address>
constexpr Format arm64(std::string_view name) {
  constexpr std::uint64_t kPageMask = ~((std::uint64_t{1} << Page) - 1);
  constexpr bool kLarge = Page == 16;
  constexpr bool kTwoMore = !kLarge && Address > 48;
  return {.name = name,
          .levels = Arm64Levels<Page, Address>::levels,
          .address_bits = Address,
          .root_mask = 0x000f'ffff'ffff'ffc0,
          .address_mask = kPageMask & ((std::uint64_t{1} << (kTwoMore ? 50 : 48)) - 1),
          .high_address_mask = kLarge ? 0xf000U : (kTwoMore ? 0x300U : 0U),
          .high_address_shift = kLarge ? 36U : (kTwoMore ? 42U : 0U),
          .present = 1U << 0,
          .leaf_mask = 1U << 1,
          .leaf = 0,
          .read_only = 1U << 7,                            // AP[2]
          .user = 1U << 6,                                 // AP[1]
          .no_execute = std::uint64_t{1} << 54,            // UXN
          .accessed = 1U << 10,                            // AF
          .resident_when_absent = std::uint64_t{1} << 58,  // PTE_PROT_NONE, until 6.10
          .special = std::uint64_t{1} << 56,               // PTE_SPECIAL
          // Where hardware manages the dirty state, a write makes an entry writable (D8.4.6).
          .changing = 1U << 10 | 1U << 7,
          .halves_apart = true};
}

struct Arm64Format {
  std::uint64_t page_bytes;
  unsigned address_bits;
  Format format;
};

template <unsigned Page, unsigned Address>
constexpr Arm64Format entry(std::string_view name) {
  return {std::uint64_t{1} << Page, Address, arm64<Page, Address>(name)};
}

// Those that Linux can be built with (arch/arm64/Kconfig, ARM64_VA_BITS).
constexpr std::array kArm64Formats{
    entry<12, 39>("4 KiB pages, 39-bit addresses"),
    entry<12, 48>("4 KiB pages, 48-bit addresses"),
    entry<12, 52>("4 KiB pages, 52-bit addresses"),
    entry<14, 36>("16 KiB pages, 36-bit addresses"),
    entry<14, 47>("16 KiB pages, 47-bit addresses"),
    entry<14, 48>("16 KiB pages, 48-bit addresses"),
    entry<14, 52>("16 KiB pages, 52-bit addresses"),
    entry<16, 42>("64 KiB pages, 42-bit addresses"),
    entry<16, 48>("64 KiB pages, 48-bit addresses"),
    entry<16, 52>("64 KiB pages, 52-bit addresses"),
};

}  // namespace

const Format x86_64_four_level = x86_64("4-level", std::span(kLevels).subspan(1), 48);
const Format x86_64_five_level = x86_64("5-level", kLevels, 57);

const Format* arm64_format(std::uint64_t page_bytes, unsigned address_bits) {
  const auto found = std::ranges::find_if(kArm64Formats, [&](const Arm64Format& known) {
    return known.page_bytes == page_bytes && known.address_bits == address_bits;
  });
  return found == kArm64Formats.end() ? nullptr : &found->format;
}

const Format* find_format(std::string_view name) {
  for (const Format* known : {&x86_64_four_level, &x86_64_five_level})
    if (known->name == name) return known;
  const auto found = std::ranges::find(kArm64Formats, name,
                                       [](const Arm64Format& known) { return known.format.name; });
  return found == kArm64Formats.end() ? nullptr : &found->format;
}

}  // namespace vitrine::paging
