// Finds wanted names among compressed ones without decompressing them all: almost every name is
// ruled out by its first one or two tokens, or by its length.
//
// Thread contract: one thread at a time.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::kernel {

class SymbolFilter {
 public:
  // Longest name with its type character; the kernel's own limit is 512 (KSYM_NAME_LEN).
  static constexpr std::size_t max_name_bytes = 1024;

  // REQUIRES: the texts behind `tokens` and `names` outlive the filter.
  SymbolFilter(const std::array<std::string_view, 256>& tokens,
               std::span<const std::string_view> names);

  // Takes note of symbol `index` if its name is a wanted one not yet found.
  // REQUIRES: `compressed` holds at least one token, whose text is not empty, and max_name_bytes at
  // most when decompressed.
  void offer(std::span<const std::byte> compressed, std::uint32_t index) {
    const Token& first = tokens_[std::to_integer<std::size_t>(compressed[0])];
    if (!first.may_begin) return;
    // The first token is often the type alone: only the next says something of the name.
    if (first.text.size() == 1 && compressed.size() > 1 &&
        !tokens_[std::to_integer<std::size_t>(compressed[1])].may_follow_type) {
      return;
    }
    std::size_t length = 0;
    for (const std::byte number : compressed) {
      length += tokens_[std::to_integer<std::size_t>(number)].text.size();
    }
    if (wanted_lengths_[length]) compare(compressed, index);
  }

  bool all_found() const { return missing_ == 0; }

  // The index of each name's first symbol, in the order of the names.
  std::vector<std::optional<std::uint32_t>> found() && { return std::move(found_); }

 private:
  struct Token {
    std::string_view text;
    bool may_begin = false;        // as the first token, type character included
    bool may_follow_type = false;  // as the second, where the first is the type alone
  };

  void compare(std::span<const std::byte> compressed, std::uint32_t index);

  std::array<Token, 256> tokens_;
  std::bitset<max_name_bytes + 1> wanted_lengths_;                // with the type character
  std::vector<std::pair<std::string_view, std::size_t>> wanted_;  // sorted, with their place
  std::vector<std::optional<std::uint32_t>> found_;
  std::size_t missing_ = 0;
};

}  // namespace vitrine::kernel
