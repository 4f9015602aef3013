// Base64 (RFC 4648, section 4), as bytes travel within JSON.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vitrine::base {

std::string encode_base64(std::string_view bytes);

// Decodes into `to` and returns the number of bytes. Nothing where the text is not base64 with its
// padding, or stands for more bytes than fit.
std::optional<std::size_t> decode_base64(std::string_view text, std::span<std::byte> to);

// The same as a string.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace vitrine::base
