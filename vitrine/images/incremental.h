// What an incremental image says of itself in a note: which image it builds on, and which pages it
// holds. Every other page is as in that image.
//
// Thread contract: plain values and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vitrine/base/result.h"

namespace vitrine::images {

// One bit for each page of RAM, numbered through all its ranges in ascending order.
class PageBits {
 public:
  explicit PageBits(std::uint64_t pages) : pages_(pages), bits_((pages + 7) / 8) {}
  // Error: `inconsistent` where there are not as many bits as pages.
  static base::Result<PageBits> parse(std::uint64_t pages, std::span<const std::byte> bits);

  // REQUIRES of both: page < pages().
  void set(std::uint64_t page) { bits_[page / 8] |= std::byte{1} << (page % 8); }
  bool test(std::uint64_t page) const {
    return (bits_[page / 8] >> (page % 8) & std::byte{1}) != std::byte{};
  }
  std::uint64_t pages() const { return pages_; }
  std::span<const std::byte> bytes() const { return bits_; }

 private:
  std::uint64_t pages_;
  std::vector<std::byte> bits_;
};

struct Incremental {
  static constexpr const char* kNoteName = "VITRINE";
  static constexpr std::uint32_t kNoteType = 1;

  std::string predecessor;  // its SHA-256, 64 hex digits
  PageBits held{0};         // the pages that the image holds
};

// The note's content; its size depends on the number of pages only.
std::vector<std::byte> incremental_note(const Incremental& incremental);

// Error: `inconsistent` for what incremental_note() would not write.
base::Result<Incremental> parse_incremental_note(std::span<const std::byte> content);

}  // namespace vitrine::images
