#include "vitrine/vmm/gdb_packet.h"

#include <fmt/format.h>

namespace vitrine::vmm {
namespace {

constexpr char kEscape = '}';
constexpr char kEscapeMask = 0x20;
constexpr char kRepeat = '*';
constexpr int kRepeatBias = 29;  // "*" and the character of code n + 29: n more of the same
constexpr std::size_t kChecksum = 3;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

unsigned checksum(std::string_view data) {
  unsigned sum = 0;
  for (const char c : data) sum += static_cast<unsigned char>(c);
  return sum % 256;
}

// "#XX" at the end of the packet.
bool checksum_holds(std::string_view data, std::string_view trailer) {
  const int high = digit(trailer[1]);
  const int low = digit(trailer[2]);
  return high >= 0 && low >= 0 && static_cast<unsigned>(high * 16 + low) == checksum(data);
}

}  // namespace

std::string gdb_packet(std::string_view data) {
  std::string escaped;
  escaped.reserve(data.size());
  for (const char c : data) {
    if (c == '$' || c == '#' || c == kEscape || c == kRepeat) {
      escaped += kEscape;
      escaped += static_cast<char>(c ^ kEscapeMask);
    } else {
      escaped += c;
    }
  }
  return fmt::format("${}#{:02x}", escaped, checksum(escaped));
}

void GdbFramer::feed(std::string_view bytes) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_ += bytes;
}

base::Result<std::optional<std::string>> GdbFramer::next() {
  while (begin_ < buffer_.size()) {
    const char kind = buffer_[begin_];
    if (kind == '-')
      return base::fail(base::Code::inconsistent, "the debugger stub understood no packet of ours");
    if (kind != '$' && kind != '%') {
      ++begin_;
      continue;
    }
    const std::string_view rest = std::string_view(buffer_).substr(begin_ + 1);
    const std::size_t size = rest.find('#', scanned_);
    // Escapes double what is sent at most.
    if (std::min(size, rest.size()) > 2 * limit_)
      return base::fail(base::Code::unsupported,
                        fmt::format("a debugger stub's packet is larger than {} bytes", limit_));
    if (size == rest.npos) scanned_ = rest.size();
    if (size == rest.npos || rest.size() < size + kChecksum) return std::optional<std::string>{};
    const std::string_view data = rest.substr(0, size);
    if (!checksum_holds(data, rest.substr(size, kChecksum)))
      return base::fail(base::Code::inconsistent, "a debugger stub's packet is damaged");
    begin_ += 1 + size + kChecksum;
    scanned_ = 0;
    if (kind == '%') continue;
    auto decoded = decode(data);
    if (!decoded) return base::fail(decoded.error());
    return std::optional<std::string>(std::move(*decoded));
  }
  return std::optional<std::string>{};
}

base::Result<std::string> GdbFramer::decode(std::string_view data) const {
  std::string decoded;
  decoded.reserve(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] == kEscape && i + 1 < data.size()) {
      decoded += static_cast<char>(data[++i] ^ kEscapeMask);
    } else if (data[i] == kRepeat && i + 1 < data.size() && !decoded.empty()) {
      const int times = static_cast<unsigned char>(data[++i]) - kRepeatBias;
      if (times < 0)
        return base::fail(base::Code::inconsistent, "a debugger stub's packet is malformed");
      decoded.append(static_cast<std::size_t>(times), decoded.back());
    } else {
      decoded += data[i];
    }
    if (decoded.size() > limit_)
      return base::fail(base::Code::unsupported,
                        fmt::format("a debugger stub's packet is larger than {} bytes", limit_));
  }
  return decoded;
}

bool decode_hex(std::string_view digits, std::span<std::byte> into) {
  if (digits.size() != into.size() * 2) return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const int high = digit(digits[2 * i]);
    const int low = digit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    into[i] = static_cast<std::byte>(high * 16 + low);
  }
  return true;
}

}  // namespace vitrine::vmm
