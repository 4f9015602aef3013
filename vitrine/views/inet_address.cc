#include "vitrine/views/inet_address.h"

#include <arpa/inet.h>

namespace vitrine::views {

std::string text_of(const InetAddress& address, std::uint16_t family) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family == kFamilyInet6 ? AF_INET6 : AF_INET, address.words.data(), text.data(),
            text.size());
  return text.data();
}

}  // namespace vitrine::views
