#include "vitrine/views/text.h"

#include <fmt/format.h>

namespace vitrine::views {

std::string device_name(std::uint32_t device) {
  return fmt::format("{}:{}", device >> 20, device & 0xfffff);
}

}  // namespace vitrine::views
