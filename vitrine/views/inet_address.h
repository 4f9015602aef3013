// Internet addresses as the kernel keeps them, and as people write them.
//
// Thread contract: plain values and pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace vitrine::views {

constexpr std::uint16_t kFamilyInet = 2;    // AF_INET, include/linux/socket.h
constexpr std::uint16_t kFamilyInet6 = 10;  // AF_INET6

// In network order, as two words that were loaded from it; of IPv4, the first four bytes.
struct InetAddress {
  std::array<std::uint64_t, 2> words{};

  bool is_any() const { return words[0] == 0 && words[1] == 0; }
};

// "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1". `family`: any but kFamilyInet6 is IPv4.
std::string text_of(const InetAddress& address, std::uint16_t family);

// How far an address or a route reaches, RT_SCOPE_* of include/uapi/linux/rtnetlink.h: "global",
// "host", …; or its number.
std::string scope_name(std::uint32_t scope);

}  // namespace vitrine::views
