#include "vitrine/kernel/code.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestVirtual;

constexpr std::byte call_near{0xe8};
constexpr std::byte jump_near{0xe9};
constexpr std::size_t instruction_bytes = 5;

}  // namespace

base::Result<bool> calls(memory::VirtualMemory& memory, GuestVirtual function, std::uint64_t length,
                         GuestVirtual target) {
  if (length > max_function_bytes) {
    return base::fail(Code::invalid, "the function is too long to look into");
  }
  std::vector<std::byte> code(length);
  if (auto read = memory.read(function, code); !read) return base::fail(read.error());
  for (std::size_t at = 0; at + instruction_bytes <= code.size(); ++at) {
    if (code[at] != call_near && code[at] != jump_near) continue;
    std::int32_t distance = 0;
    std::memcpy(&distance, code.data() + at + 1, sizeof distance);
    const GuestVirtual next = function + (at + instruction_bytes);
    if (next + static_cast<std::uint64_t>(std::int64_t{distance}) == target) return true;
  }
  return false;
}

base::Result<bool> calls(memory::VirtualMemory& memory, const SymbolLookup& symbols,
                         std::string_view function, std::string_view target) {
  const std::array<std::string_view, 2> names = {function, target};
  const auto found = symbols.find(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found[i]) continue;
    return base::fail(Code::absent, "the guest kernel has no symbol " + std::string(names[i]));
  }
  const auto end = symbols.next_address_after(*found[0]);
  if (!end) return base::fail(Code::absent, "no symbol ends " + std::string(function));
  return calls(memory, *found[0], *end - *found[0], *found[1]);
}

}  // namespace vitrine::kernel
