// Symbols as nm lists them.
#include "vitrine/images/system_map.h"

#include <gtest/gtest.h>

namespace vitrine::images {
namespace {

using base::GuestVirtual;

std::string map_of(kernel::SymbolList symbols, std::uint64_t offset = 0) {
  std::string text;
  TextOutput output([&text](std::string_view block) {
    text += block;
    return base::Result<void>();
  });
  write_system_map(symbols, offset, output);
  EXPECT_TRUE(output.finish());
  return text;
}

TEST(SystemMap, HasALineForEachSymbolByAddress) {
  kernel::SymbolList symbols;
  symbols.add("init_task", 'D', GuestVirtual(0xffffffff9e000000));
  symbols.add("_stext", 'T', GuestVirtual(0xffffffff9d000000));
  symbols.add("this_cpu_off", 'A', GuestVirtual(0x19e48));
  EXPECT_EQ(map_of(symbols, 0x1c000000),
            "0000000000019e48 A this_cpu_off\n"
            "ffffffff81000000 T _stext\n"
            "ffffffff82000000 D init_task\n");
  EXPECT_EQ(map_of(symbols).substr(32, 26), "ffffffff9d000000 T _stext\n");
}

TEST(SystemMap, CannotBeMadeToHoldAnotherLine) {
  kernel::SymbolList symbols;
  symbols.add("a\nffff T b\\\xff", 't', GuestVirtual(1));
  EXPECT_EQ(map_of(symbols), "0000000000000001 t a\\x0affff\\x20T\\x20b\\x5c\\xff\n");
}

}  // namespace
}  // namespace vitrine::images
