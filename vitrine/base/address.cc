#include "vitrine/base/address.h"

#include <fmt/format.h>

namespace vitrine::base {

std::string to_hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

}  // namespace vitrine::base
