// Base64, for commands and their output on the serial console.
#pragma once

#include <string>
#include <string_view>

namespace vitrine::live {

std::string base64_encode(std::string_view data);

// Throws std::runtime_error for a character that is none of base64's.
std::string base64_decode(std::string_view text);

}  // namespace vitrine::live
