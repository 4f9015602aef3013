// Addresses as the network's structures hold them: of a link, and of the internet.
//
// Thread contract: as the reader.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "vitrine/base/address.h"
#include "vitrine/views/inet_address.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

// "52:54:00:12:34:56"; empty where the link has no addresses.
inline bool load_link_address(Reader& reader, base::GuestVirtual at, std::uint8_t length,
                              std::string& text) {
  std::array<std::byte, 32> bytes{};  // MAX_ADDR_LEN
  const auto used = std::span(bytes).first(std::min<std::size_t>(length, bytes.size()));
  if (!reader.load_bytes(at, used)) return false;
  text.clear();
  for (const std::byte byte : used)
    text += fmt::format("{}{:02x}", text.empty() ? "" : ":", std::to_integer<unsigned>(byte));
  return true;
}

inline bool load_address(Reader& reader, base::GuestVirtual at, std::uint16_t family,
                         InetAddress& address) {
  if (family == kFamilyInet6)
    return reader.load(at, address.words[0]) && reader.load(at + 8, address.words[1]);
  std::uint32_t word = 0;
  if (!reader.load(at, word)) return false;
  address.words = {word, 0};
  return true;
}

}  // namespace vitrine::views
