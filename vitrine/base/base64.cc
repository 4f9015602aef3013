#include "vitrine/base/base64.h"

#include <array>
#include <cstdint>

namespace vitrine::base {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xff;

constexpr std::array<std::uint8_t, 256> values_of_digits() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t i = 0; i < kDigits.size(); ++i)
    values[static_cast<unsigned char>(kDigits[i])] = static_cast<std::uint8_t>(i);
  return values;
}

constexpr auto kValues = values_of_digits();

// Without its padding; nothing where its length is none that base64 has.
std::optional<std::string_view> digits_of(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 3; ++i)
      value = value << 8 | (i < group.size() ? static_cast<unsigned char>(group[i]) : 0u);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= group.size() ? kDigits[value >> (18 - 6 * i) & 63] : '=';
  }
  return text;
}

std::optional<std::size_t> decode_base64(std::string_view text, std::span<std::byte> to) {
  const auto digits = digits_of(text);
  if (!digits || digits->size() / 4 * 3 + digits->size() % 4 * 3 / 4 > to.size())
    return std::nullopt;
  std::size_t size = 0;
  std::uint32_t value = 0;
  unsigned bits = 0;
  for (const char digit : *digits) {
    const std::uint8_t part = kValues[static_cast<unsigned char>(digit)];
    if (part == kNoDigit) return std::nullopt;
    value = value << 6 | part;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    to[size++] = static_cast<std::byte>(value >> bits & 0xff);
  }
  return size;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const auto size = decode_base64(text, std::as_writable_bytes(std::span(bytes)));
  if (!size) return std::nullopt;
  bytes.resize(*size);
  return bytes;
}

}  // namespace vitrine::base
