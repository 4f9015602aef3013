#include "tests/live/base64.h"

#include <cstdint>
#include <stdexcept>

namespace vitrine::live {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64_encode(std::string_view data) {
  std::string text;
  for (std::size_t at = 0; at < data.size(); at += 3) {
    const std::string_view group = data.substr(at, 3);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      value = value << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += i <= group.size() ? kDigits[value >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

std::string base64_decode(std::string_view text) {
  std::string data;
  std::uint32_t value = 0;
  unsigned bits = 0;
  for (const char digit : text.substr(0, text.find('='))) {
    const std::size_t position = kDigits.find(digit);
    if (position == std::string_view::npos) throw std::runtime_error("not base64");
    value = value << 6 | static_cast<std::uint32_t>(position);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      data += static_cast<char>(value >> bits & 0xff);
    }
  }
  return data;
}

}  // namespace vitrine::live
