#include "vitrine/kernel/code.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestVirtual;

bool calls_on_x86(std::span<const std::byte> code, GuestVirtual function, GuestVirtual target) {
  constexpr std::byte call_near{0xe8};
  constexpr std::byte jump_near{0xe9};
  constexpr std::size_t instruction_bytes = 5;
  for (std::size_t at = 0; at + instruction_bytes <= code.size(); ++at) {
    if (code[at] != call_near && code[at] != jump_near) continue;
    std::int32_t distance = 0;
    std::memcpy(&distance, code.data() + at + 1, sizeof distance);
    const GuestVirtual next = function + (at + instruction_bytes);
    if (next + static_cast<std::uint64_t>(std::int64_t{distance}) == target) return true;
  }
  return false;
}

bool calls_on_arm64(std::span<const std::byte> code, GuestVirtual function, GuestVirtual target) {
  constexpr std::uint32_t branch = 0x1400'0000;  // b; bl has bit 31 besides
  constexpr std::uint32_t branch_mask = 0x7c00'0000;
  for (std::size_t at = 0; at + 4 <= code.size(); at += 4) {
    std::uint32_t instruction = 0;
    std::memcpy(&instruction, code.data() + at, sizeof instruction);
    if ((instruction & branch_mask) != branch) continue;
    // 26 bits of distance in instructions, signed.
    const std::int32_t distance = static_cast<std::int32_t>(instruction << 6) >> 4;
    if (function + at + static_cast<std::uint64_t>(std::int64_t{distance}) == target) return true;
  }
  return false;
}

}  // namespace

base::Result<bool> calls(memory::VirtualMemory& memory, Architecture architecture,
                         GuestVirtual function, std::uint64_t length, GuestVirtual target) {
  if (length > max_function_bytes) {
    return base::fail(Code::invalid, "the function is too long to look into");
  }
  std::vector<std::byte> code(length);
  if (auto read = memory.read(function, code); !read) return base::fail(read.error());
  return architecture == Architecture::x86_64 ? calls_on_x86(code, function, target)
                                              : calls_on_arm64(code, function, target);
}

base::Result<bool> calls(memory::VirtualMemory& memory, Architecture architecture,
                         const SymbolLookup& symbols, std::string_view function,
                         std::string_view target) {
  const std::array<std::string_view, 2> names = {function, target};
  const auto found = symbols.find(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found[i]) continue;
    return base::fail(Code::absent, "the guest kernel has no symbol " + std::string(names[i]));
  }
  const auto end = symbols.next_address_after(*found[0]);
  if (!end) return base::fail(Code::absent, "no symbol ends " + std::string(function));
  return calls(memory, architecture, *found[0], *end - *found[0], *found[1]);
}

}  // namespace vitrine::kernel
