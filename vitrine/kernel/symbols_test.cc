#include "vitrine/kernel/symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/synthetic/kallsyms_sample.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using synthetic::KallsymsSample;
using synthetic::SampleEncoding;
constexpr std::uint64_t stext = KallsymsSample::base;

Symbols decode(const KallsymsSample& sample) {
  auto symbols = Symbols::decode(sample.tables());
  if (!symbols) throw std::runtime_error(to_string(symbols.error()));
  return *symbols;
}

bool refused(KallsymsTables tables) {
  const auto symbols = Symbols::decode(std::move(tables));
  return !symbols && symbols.error().code == base::Code::inconsistent;
}

class EveryEncoding : public ::testing::TestWithParam<SampleEncoding> {};

TEST_P(EveryEncoding, YieldsTheAddressesItStandsFor) {
  KallsymsSample sample;
  sample.encoding = GetParam();
  const Symbols symbols = decode(sample);
  EXPECT_EQ(symbols.count(), 3U);
  EXPECT_EQ(symbols.find("_stext"), GuestVirtual(stext));
  EXPECT_EQ(symbols.find("do_exit"), GuestVirtual(stext + 0x40));
  EXPECT_EQ(symbols.find("init_task"), GuestVirtual(stext + 0x90));
}

INSTANTIATE_TEST_SUITE_P(Symbols, EveryEncoding,
                         ::testing::Values(SampleEncoding::base_relative,
                                           SampleEncoding::absolute_percpu,
                                           SampleEncoding::place_relative));

TEST(Symbols, PerCpuSymbolsMayBeAbsolute) {
  KallsymsSample sample;
  sample.encoding = SampleEncoding::absolute_percpu;
  sample.symbols.insert(sample.symbols.begin(), {0x1fb80, "Acurrent_task"});
  EXPECT_EQ(decode(sample).find("current_task"), GuestVirtual(0x1fb80));
}

TEST(Symbols, OnlyTheExactNameIsFound) {
  KallsymsSample sample;
  sample.symbols.push_back({stext + 0x100, "Dinit_"});
  sample.symbols.push_back({stext + 0x110, "Dinit_task_x"});
  const Symbols symbols = decode(sample);
  EXPECT_EQ(symbols.find("init_"), GuestVirtual(stext + 0x100));
  EXPECT_EQ(symbols.find("init_task_x"), GuestVirtual(stext + 0x110));
  EXPECT_EQ(symbols.find("init_tas"), std::nullopt);
  EXPECT_EQ(symbols.find("Tdo_exit"), std::nullopt);
  EXPECT_EQ(symbols.find(""), std::nullopt);
  EXPECT_EQ(symbols.find(std::string(5000, 'x')), std::nullopt);
}

TEST(Symbols, ManyNamesAreAnsweredInTheirOrder) {
  const Symbols symbols = decode({});
  const std::vector<std::string_view> names = {"init_task", "nothing", "_stext", "init_task"};
  EXPECT_THAT(symbols.find(names),
              ::testing::ElementsAre(GuestVirtual(stext + 0x90), std::nullopt, GuestVirtual(stext),
                                     GuestVirtual(stext + 0x90)));
}

TEST(Symbols, TheFirstOfEqualNamesCounts) {
  KallsymsSample sample;
  sample.symbols.push_back({stext + 0x200, "tdo_exit"});
  EXPECT_EQ(decode(sample).find("do_exit"), GuestVirtual(stext + 0x40));
}

TEST(Symbols, LengthsOfOneAndOfTwoBytesAreToldApart) {
  KallsymsSample sample;
  const std::string long_name(200, 'n');
  sample.symbols.insert(sample.symbols.begin() + 1, {stext + 0x10, "t" + long_name});
  for (const bool two_bytes : {true, false}) {
    sample.two_byte_lengths = two_bytes;
    const Symbols symbols = decode(sample);
    EXPECT_EQ(symbols.find(long_name), GuestVirtual(stext + 0x10));
    EXPECT_EQ(symbols.find("init_task"), GuestVirtual(stext + 0x90));
  }
}

TEST(Symbols, AnAddressBelongsToTheSymbolBelowIt) {
  const Symbols symbols = decode({});
  const auto hit = symbols.containing(GuestVirtual(stext + 0x8f));
  ASSERT_TRUE(hit.has_value());
  EXPECT_EQ(hit->name, "do_exit");
  EXPECT_EQ(hit->address, GuestVirtual(stext + 0x40));
  EXPECT_EQ(hit->offset, 0x4fU);
  EXPECT_EQ(symbols.containing(GuestVirtual(stext + 0x90))->name, "init_task");
}

TEST(Symbols, OutsideTheTableNoAddressHasASymbol) {
  const Symbols symbols = decode({});
  EXPECT_FALSE(symbols.containing(GuestVirtual(stext - 1)).has_value());
  EXPECT_FALSE(symbols.containing(GuestVirtual(stext + 0x91)).has_value());
  EXPECT_FALSE(symbols.containing(GuestVirtual(~std::uint64_t{0})).has_value());
}

TEST(Symbols, OfSeveralAtOneAddressTheFirstIsNamed) {
  KallsymsSample sample;
  sample.symbols.insert(sample.symbols.begin() + 2, {stext + 0x40, "Talias"});
  EXPECT_EQ(decode(sample).containing(GuestVirtual(stext + 0x41))->name, "do_exit");
}

TEST(Symbols, TheNextAddressEndsASymbol) {
  const Symbols symbols = decode({});
  EXPECT_EQ(symbols.next_address_after(GuestVirtual(stext + 0x40)), GuestVirtual(stext + 0x90));
  EXPECT_EQ(symbols.next_address_after(GuestVirtual(0)), GuestVirtual(stext));
  EXPECT_EQ(symbols.next_address_after(GuestVirtual(stext + 0x90)), std::nullopt);
}

TEST(Symbols, AddressesAreOrderedWhereTheTableIsNot) {
  KallsymsSample sample;
  std::swap(sample.symbols[1], sample.symbols[2]);
  const Symbols symbols = decode(sample);
  EXPECT_EQ(symbols.containing(GuestVirtual(stext + 0x50))->name, "do_exit");
  EXPECT_EQ(symbols.next_address_after(GuestVirtual(stext + 0x40)), GuestVirtual(stext + 0x90));
}

TEST(Symbols, NamesBeyondTheFirstMarkerAreDecoded) {
  KallsymsSample sample;
  sample.symbols.resize(1);
  for (std::uint64_t i = 1; i < 1000; ++i) {
    sample.symbols.push_back({stext + i * 16, "tf" + std::to_string(i)});
  }
  const Symbols symbols = decode(sample);
  for (const std::uint64_t i : {255U, 256U, 257U, 511U, 512U, 998U}) {
    EXPECT_EQ(symbols.containing(GuestVirtual(stext + i * 16 + 1))->name, "f" + std::to_string(i));
  }
}

TEST(Symbols, TablesOfTheWrongSizeAreRefused) {
  const KallsymsTables good = KallsymsSample{}.tables();
  ASSERT_FALSE(refused(good));
  for (auto table : {&KallsymsTables::names, &KallsymsTables::token_table,
                     &KallsymsTables::token_index, &KallsymsTables::offsets}) {
    KallsymsTables cut = good;
    (cut.*table).pop_back();
    EXPECT_TRUE(refused(cut));
    (cut.*table).clear();
    EXPECT_TRUE(refused(cut));
  }
  EXPECT_TRUE(refused({}));
}

TEST(Symbols, NamesThatAreNoneAreRefused) {
  KallsymsTables tables = KallsymsSample{}.tables();
  tables.names[0] = std::byte{0};
  EXPECT_TRUE(refused(tables));
  KallsymsSample odd;
  odd.symbols[1].text = "+do_exit";
  EXPECT_TRUE(refused(odd.tables()));
  KallsymsSample endless;
  endless.token_one = std::string(900, 'D');
  endless.symbols[1].text = std::string(901, 'D') + std::string(200, 'x');
  EXPECT_TRUE(refused(endless.tables()));
}

TEST(Symbols, AnotherStextIsRefused) {
  KallsymsTables tables = KallsymsSample{}.tables();
  tables.stext = tables.stext + 16;
  EXPECT_TRUE(refused(tables));
  KallsymsSample none;
  none.symbols[0].text = "Tstext";
  EXPECT_TRUE(refused(none.tables()));
}

}  // namespace
}  // namespace vitrine::kernel
