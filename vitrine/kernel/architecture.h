// The processors whose kernels we read.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <string_view>

namespace vitrine::kernel {

enum class Architecture : std::uint8_t { x86_64, arm64 };

// As uname -m says.
constexpr std::string_view name(Architecture architecture) {
  return architecture == Architecture::x86_64 ? "x86_64" : "aarch64";
}

}  // namespace vitrine::kernel
