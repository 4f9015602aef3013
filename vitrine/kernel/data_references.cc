#include "vitrine/kernel/data_references.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>

#include "vitrine/kernel/code.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using base::kPage;

struct Variable {
  std::string_view name;
  bool loaded;  // what the functions have in common is loaded, not its address taken
  std::array<std::string_view, 2> functions;
};

// Each is in one file with the functions, or global, so that no compiler reaches it from another
// variable's address: kernel/module/kallsyms.c, kernel/time/timekeeping.c, fs/proc/cmdline.c.
constexpr std::array<Variable, 3> kVariables{{
    {"modules", false, {"module_get_kallsym", "lookup_module_symbol_name"}},
    {"tk_core", false, {"ktime_get_real_ts64", "ktime_get_with_offset"}},
    {"saved_command_line", true, {"cmdline_proc_show", "cmdline_proc_show"}},
}};

// What each register was last made to point to.
class Registers {
 public:
  std::optional<GuestVirtual>& operator[](std::uint32_t number) { return pages_[number & 31]; }

 private:
  std::array<std::optional<GuestVirtual>, 32> pages_{};
};

void take(std::uint32_t instruction, GuestVirtual at, Registers& pages, DataReferences& found) {
  const std::uint32_t to = instruction & 31;
  const std::uint32_t from = instruction >> 5 & 31;
  const std::uint32_t immediate = instruction >> 10 & 0xfff;
  if ((instruction & 0x9f00'0000) == 0x9000'0000) {  // adrp: 21 bits of distance in pages
    const std::uint32_t low = instruction >> 29 & 3;
    const std::uint32_t high = instruction >> 5 & 0x7'ffff;
    const auto distance = static_cast<std::int32_t>((high << 2 | low) << 11) >> 11;
    const auto bytes = static_cast<std::uint64_t>(std::int64_t{distance}) * kPage;
    pages[to] = GuestVirtual(at.value / kPage * kPage) + bytes;
  } else if ((instruction & 0xffc0'0000) == 0x9100'0000) {  // add
    if (pages[from]) found.taken.push_back(*pages[from] + immediate);
    if (to == from) pages[to].reset();
  } else if ((instruction & 0xffc0'0000) == 0xf940'0000) {  // ldr
    if (pages[from]) found.loaded.push_back(*pages[from] + std::uint64_t{immediate} * 8);
    pages[to].reset();
  }
}

void sort_out(std::vector<GuestVirtual>& list) {
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

std::vector<GuestVirtual> used_by(memory::VirtualMemory& memory, const Symbols& symbols,
                                  GuestVirtual function, bool loaded) {
  const auto end = symbols.next_address_after(function);
  if (!end) return {};
  auto found = data_references(memory, function, *end - function);
  if (!found) return {};
  return std::move(loaded ? found->loaded : found->taken);
}

}  // namespace

base::Result<DataReferences> data_references(memory::VirtualMemory& memory, GuestVirtual function,
                                             std::uint64_t length) {
  if (length > max_function_bytes)
    return base::fail(base::Code::invalid, "the function is too long to look into");
  std::vector<std::byte> code(length);
  if (auto read = memory.read(function, code); !read) return base::fail(read.error());
  Registers pages;
  DataReferences found;
  for (std::size_t at = 0; at + 4 <= code.size(); at += 4) {
    std::uint32_t instruction = 0;
    std::memcpy(&instruction, code.data() + at, sizeof instruction);
    take(instruction, function + at, pages, found);
  }
  sort_out(found.taken);
  sort_out(found.loaded);
  return found;
}

std::map<std::string, GuestVirtual, std::less<>> variables_of_functions(
    memory::VirtualMemory& memory, const Symbols& symbols) {
  std::map<std::string, GuestVirtual, std::less<>> variables;
  for (const Variable& variable : kVariables) {
    const auto functions = symbols.find(variable.functions);
    if (!functions[0] || !functions[1]) continue;
    const auto first = used_by(memory, symbols, *functions[0], variable.loaded);
    const auto second = used_by(memory, symbols, *functions[1], variable.loaded);
    std::vector<GuestVirtual> common;
    std::ranges::set_intersection(first, second, std::back_inserter(common));
    if (common.size() == 1) variables.emplace(variable.name, common.front());
  }
  return variables;
}

}  // namespace vitrine::kernel
