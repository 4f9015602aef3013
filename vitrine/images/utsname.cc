#include "vitrine/images/utsname.h"

#include <algorithm>
#include <cstring>

namespace vitrine::images {

std::vector<std::byte> make_utsname(std::string_view release) {
  constexpr std::size_t kField = 65;
  std::vector<std::byte> names(kUtsnameBytes);
  const auto put = [&names](std::size_t field, std::string_view text) {
    std::memcpy(&names[field * kField], text.data(), std::min(text.size(), kField - 1));
  };
  put(0, "Linux");
  put(2, release);
  put(4, "x86_64");
  return names;
}

}  // namespace vitrine::images
