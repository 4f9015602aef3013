#include "apps/cli/escape.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "apps/cli/character.h"

namespace vitrine::cli {
namespace {

// Real scripts stack at most a few marks; a pile of hundreds paints over the rows above it.
constexpr int kMostMarks = 4;

void append_byte(std::string& out, char byte) {
  fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
}

void append_escaped(std::string& out, char32_t c) {
  switch (c) {
    case U'\\':
      out += "\\\\";
      return;
    case U'\n':
      out += "\\n";
      return;
    case U'\t':
      out += "\\t";
      return;
    case U'\r':
      out += "\\r";
      return;
    default:
      break;
  }
  const auto number = static_cast<std::uint32_t>(c);
  auto end = std::back_inserter(out);
  if (c < 0x80)
    fmt::format_to(end, "\\x{:02x}", number);
  else if (c < 0x10000)
    fmt::format_to(end, "\\u{:04x}", number);
  else
    fmt::format_to(end, "\\U{:08x}", number);
}

// Takes the hexadecimal digits of an escape from the start of `text`.
std::optional<char32_t> take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t number = 0;
  const char* const end = text.data() + digits;
  const auto [stop, error] = std::from_chars(text.data(), end, number, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

// Takes what follows a backslash and appends what it stands for; false where it is malformed.
bool take_escape(std::string_view& text, std::string& out, bool json) {
  if (text.empty()) return false;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == '\\') return out += '\\', true;
  if (kind == 'x') {
    const auto byte = take_digits(text, 2);
    if (byte) out += static_cast<char>(*byte);
    return byte.has_value();
  }
  if (json) return false;
  if (kind == 'n') return out += '\n', true;
  if (kind == 't') return out += '\t', true;
  if (kind == 'r') return out += '\r', true;
  if (kind != 'u' && kind != 'U') return false;
  const auto c = take_digits(text, kind == 'u' ? 4 : 8);
  if (!c || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff)) return false;
  append_utf8(out, *c);
  return true;
}

std::optional<std::string> unescape(std::string_view text, bool json) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (!take_escape(text, out, json)) return std::nullopt;
  }
  return out;
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  int marks = kMostMarks;  // none may come first: it would combine with what stands before the text
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.length);
    text.remove_prefix(character.length);
    if (!character.code_point) {
      append_byte(out, bytes.front());
      marks = kMostMarks;
      continue;
    }
    const char32_t c = *character.code_point;
    const bool mark = columns_of(c) == 0;
    if (c == U'\\' || is_deceptive(c) || (mark && marks >= kMostMarks)) {
      append_escaped(out, c);
      marks = kMostMarks;
    } else {
      out += bytes;
      marks = mark ? marks + 1 : 0;
    }
  }
  return out;
}

std::optional<std::string> from_terminal(std::string_view text) { return unescape(text, false); }

std::string for_json(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.code_point)
      append_byte(out, text.front());
    else if (*character.code_point == U'\\')
      out += "\\\\";
    else
      out += text.substr(0, character.length);
    text.remove_prefix(character.length);
  }
  return out;
}

std::optional<std::string> from_json(std::string_view text) { return unescape(text, true); }

}  // namespace vitrine::cli
