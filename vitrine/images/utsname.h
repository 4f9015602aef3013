// The names a kernel goes by (uname(2)), as the guest keeps them: struct new_utsname
// (include/uapi/linux/utsname.h), six fields of 65 bytes.
//
// Thread contract: pure functions.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace vitrine::images {

inline constexpr std::size_t kUtsnameBytes = std::size_t{6} * 65;

// What is known without asking the guest: the system, this release, and the processor.
std::vector<std::byte> make_utsname(std::string_view release);

}  // namespace vitrine::images
