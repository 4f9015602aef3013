#include "tests/synthetic/kallsyms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <tuple>

namespace vitrine::synthetic {
namespace {

using Parameters = std::tuple<SymbolEncoding, NameLengths, bool>;

constexpr std::uint64_t base = 0xffffffff9d000000;
const base::GuestVirtual kTablesAt(0xffffffff9d200000);

std::vector<Symbol> some_symbols() {
  std::vector<Symbol> symbols = {{"_stext", base, 'T'}, {"init_task", base + 0x400000, 'D'}};
  for (std::uint64_t i = 0; i < 300; ++i)
    symbols.push_back({"some_driver_function_" + std::to_string(i), base + 16 * i, 't'});
  // No two pairs of characters alike, so that it cannot be compressed to fewer than 128 tokens.
  Symbol long_name{"", base + 0x10000, 't'};
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 12; ++j)
      if (i != j) long_name.name += {static_cast<char>('a' + i), static_cast<char>('A' + j)};
  symbols.push_back(long_name);
  std::stable_sort(symbols.begin(), symbols.end(),
                   [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
  return symbols;
}

class SyntheticKallsyms : public ::testing::TestWithParam<Parameters> {
 protected:
  template <class T>
  T table(const std::string& name, std::uint64_t offset) const {
    T value{};
    std::memcpy(&value, &built_.bytes.at(built_.tables.at(name) - kTablesAt + offset),
                sizeof value);
    return value;
  }

  // Decodes the name that starts at `position` in kallsyms_names and moves it to the next.
  std::string decode_name(std::uint64_t& position) {
    std::size_t length = table<std::uint8_t>("kallsyms_names", position++);
    if (std::get<1>(GetParam()) == NameLengths::uleb128 && (length & 128) != 0)
      length = (length & 127) | std::size_t{table<std::uint8_t>("kallsyms_names", position++)} << 7;
    longest_ = std::max(longest_, length);
    std::string name;
    for (; length > 0; --length) {
      const auto token = table<std::uint8_t>("kallsyms_names", position++);
      std::uint64_t text = table<std::uint16_t>("kallsyms_token_index", 2ULL * token);
      while (const char c = table<char>("kallsyms_token_table", text++)) name += c;
    }
    return name;
  }

  std::uint64_t address(std::uint64_t index) const {
    const auto raw = table<std::uint32_t>("kallsyms_offsets", 4 * index);
    const auto value = static_cast<std::int64_t>(static_cast<std::int32_t>(raw));
    if (std::get<0>(GetParam()) == SymbolEncoding::place_relative)
      return built_.tables.at("kallsyms_offsets").value + 4 * index +
             static_cast<std::uint64_t>(value);
    const auto relative_base = table<std::uint64_t>("kallsyms_relative_base", 0);
    if (std::get<0>(GetParam()) == SymbolEncoding::base_relative) return relative_base + raw;
    return value >= 0 ? raw : relative_base - 1 - static_cast<std::uint64_t>(value);
  }

  std::vector<Symbol> symbols_ = some_symbols();
  Kallsyms built_ = build_kallsyms(symbols_, std::get<0>(GetParam()), std::get<1>(GetParam()),
                                   std::get<2>(GetParam()), kTablesAt);
  std::size_t longest_ = 0;
};

TEST_P(SyntheticKallsyms, DecodeAsTheKernelDecodesThem) {
  ASSERT_EQ(table<std::uint32_t>("kallsyms_num_syms", 0), symbols_.size());
  std::uint64_t position = 0;
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    if (i % 256 == 0) {
      EXPECT_EQ(table<std::uint32_t>("kallsyms_markers", i / 256 * 4), position);
    }
    EXPECT_EQ(decode_name(position), symbols_[i].type + symbols_[i].name);
    EXPECT_EQ(address(i), symbols_[i].address);
  }
  EXPECT_GT(longest_, 127U) << "no name shows how lengths are encoded";
}

TEST_P(SyntheticKallsyms, NamesAreReallyCompressed) {
  std::size_t plain = 0;
  for (const Symbol& symbol : symbols_) plain += symbol.name.size();
  EXPECT_LT(built_.tables.at("kallsyms_markers") - built_.tables.at("kallsyms_names"), plain / 2);
}

INSTANTIATE_TEST_SUITE_P(Encodings, SyntheticKallsyms,
                         ::testing::Combine(::testing::Values(SymbolEncoding::absolute_percpu,
                                                              SymbolEncoding::base_relative,
                                                              SymbolEncoding::place_relative),
                                            ::testing::Values(NameLengths::one_byte,
                                                              NameLengths::uleb128),
                                            ::testing::Bool()));

TEST(SyntheticKallsymsDigits, StandInOrderInTheTokenTable) {
  std::vector<Symbol> symbols = some_symbols();
  symbols.push_back({"__pfx_0123456789", base + 0x20000, 't'});
  const Kallsyms built =
      build_kallsyms(symbols, SymbolEncoding::base_relative, NameLengths::uleb128, true, kTablesAt);
  const std::string text(reinterpret_cast<const char*>(built.bytes.data()), built.bytes.size());
  const std::string digits("0\0001\0002\0003\0004\0005\0006\0007\0008\0009\0", 20);
  EXPECT_NE(text.find(digits), std::string::npos);
}

}  // namespace
}  // namespace vitrine::synthetic
