#include "vitrine/views/inet_address.h"

#include <arpa/inet.h>

namespace vitrine::views {

std::string text_of(const InetAddress& address, std::uint16_t family) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == kFamilyInet6 ? AF_INET6 : AF_INET, address.words.data(), text.data(),
            text.size());
  return text.data();
}

std::string scope_name(std::uint32_t scope) {
  switch (scope) {
    case 0:
      return "global";
    case 200:
      return "site";
    case 253:
      return "link";
    case 254:
      return "host";
    case 255:
      return "nowhere";
    default:
      return std::to_string(scope);
  }
}

}  // namespace vitrine::views
