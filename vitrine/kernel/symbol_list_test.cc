// All symbols, in the order that is wanted.
#include "vitrine/kernel/symbol_list.h"

#include <gtest/gtest.h>

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;

SymbolList sample() {
  SymbolList list;
  list.add("twin", 't', GuestVirtual(0x30));
  list.add("a", 'd', GuestVirtual(0x20));
  list.add("twin", 'T', GuestVirtual(0x20));
  list.add("twin", 't', GuestVirtual(0x10));
  return list;
}

TEST(SymbolList, SortsByAddressAndKeepsTheOrderOfEqualOnes) {
  SymbolList list = sample();
  list.sort_by_address();
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].address, GuestVirtual(0x10));
  EXPECT_EQ(list[1].name, "a");
  EXPECT_EQ(list[2].name, "twin");
  EXPECT_EQ(list[3].address, GuestVirtual(0x30));
}

TEST(SymbolList, SortsByNameTheGlobalOneFirst) {
  SymbolList list = sample();
  list.sort_by_name();
  EXPECT_EQ(list[0].name, "a");
  EXPECT_EQ(list[1].kind, 'T');
  EXPECT_EQ(list[2].address, GuestVirtual(0x30));
  EXPECT_EQ(list[3].address, GuestVirtual(0x10));
}

TEST(SymbolList, OnlyTheUpperHalfIsMoved) {
  EXPECT_EQ(as_linked(GuestVirtual(0xffffffff9d000000), 0x1c000000),
            GuestVirtual(0xffffffff81000000));
  EXPECT_EQ(as_linked(GuestVirtual(0x1f000), 0x1c000000), GuestVirtual(0x1f000));
}

}  // namespace
}  // namespace vitrine::kernel
