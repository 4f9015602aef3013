#include "vitrine/kernel/kallsyms.h"

#include <gtest/gtest.h>

#include "tests/synthetic/kallsyms_sample.h"
#include "vitrine/kernel/symbols.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using synthetic::KallsymsSample;
using synthetic::SampleEncoding;
using synthetic::SampleMemory;
constexpr GuestVirtual kTables = SampleMemory::start;

// A guest whose names lie at the very end of what is mapped.
class ReadKallsyms : public ::testing::Test {
 protected:
  static constexpr std::size_t mapped = 0x8000;

  template <class T>
  void put_value(GuestVirtual at, T value) {
    memory_.put(at, std::as_bytes(std::span(&value, 1)));
  }

  void put(const KallsymsTables& tables) {
    names_ = kTables + (mapped - tables.names.size());
    memory_.put(names_, tables.names);
    memory_.put(kTables + 0x1000, tables.token_index);
    memory_.put(kTables + 0x2000, tables.token_table);
    memory_.put(tables.offsets_address, tables.offsets);
    put_value(kTables + 0x100, tables.symbols);
    if (tables.relative_base) put_value(kTables + 0x108, *tables.relative_base);
  }

  Vmcoreinfo info(bool with_base = true) const {
    std::string text = "OSRELEASE=6.1.0\n";
    auto line = [&](const char* name, GuestVirtual at) {
      text += std::string("SYMBOL(") + name + ")=" + to_string(at).substr(2) + "\n";
    };
    line("_stext", kTables);
    line("kallsyms_names", names_);
    line("kallsyms_num_syms", kTables + 0x100);
    line("kallsyms_token_table", kTables + 0x2000);
    line("kallsyms_token_index", kTables + 0x1000);
    line("kallsyms_offsets", kTables + 0x5000);
    if (with_base) line("kallsyms_relative_base", kTables + 0x108);
    return *Vmcoreinfo::parse(text);
  }

  SampleMemory memory_{mapped};
  GuestVirtual names_ = kTables;
};

TEST_F(ReadKallsyms, TheTablesAreCopiedWithTheirTrueSizes) {
  const KallsymsTables written = KallsymsSample{}.tables();
  put(written);
  const auto read = read_kallsyms(memory_, info());
  ASSERT_TRUE(read.has_value()) << to_string(read.error());
  EXPECT_EQ(read->names, written.names);
  EXPECT_EQ(read->token_table, written.token_table);
  EXPECT_EQ(read->token_index, written.token_index);
  EXPECT_EQ(read->offsets, written.offsets);
  EXPECT_EQ(read->relative_base, KallsymsSample::base);
  EXPECT_EQ(Symbols::read(memory_, info())->find("init_task"), kTables + 0x90);
}

TEST_F(ReadKallsyms, NoRelativeBaseIsNeeded) {
  KallsymsSample sample;
  sample.encoding = SampleEncoding::place_relative;
  put(sample.tables());
  EXPECT_EQ(Symbols::read(memory_, info(false))->find("init_task"), kTables + 0x90);
}

TEST_F(ReadKallsyms, LongNamesAreReadWholeInBothLengthEncodings) {
  for (const bool two_bytes : {true, false}) {
    KallsymsSample sample;
    sample.two_byte_lengths = two_bytes;
    sample.symbols.push_back({KallsymsSample::base + 0x100, "T" + std::string(200, 'n')});
    put(sample.tables());
    EXPECT_EQ(Symbols::read(memory_, info())->find(std::string(200, 'n')), kTables + 0x100);
  }
}

TEST_F(ReadKallsyms, AKernelThatDoesNotNameItsTablesIsUnsupported) {
  const auto read = read_kallsyms(memory_, *Vmcoreinfo::parse("OSRELEASE=5.10\nPAGESIZE=4096\n"));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, base::Code::unsupported);
}

TEST_F(ReadKallsyms, AnAbsurdCountIsRefusedBeforeAnythingIsAllocated) {
  put(KallsymsSample{}.tables());
  for (const std::uint32_t count : {0U, KallsymsTables::max_symbols + 1, ~0U}) {
    put_value(kTables + 0x100, count);
    EXPECT_EQ(read_kallsyms(memory_, info()).error().code, base::Code::inconsistent);
  }
}

TEST_F(ReadKallsyms, NamesThatRunOutOfMemoryAreAnError) {
  put(KallsymsSample{}.tables());
  put_value(kTables + 0x100, 4U);
  EXPECT_EQ(read_kallsyms(memory_, info()).error().code, base::Code::absent);
}

TEST_F(ReadKallsyms, ATokenWithoutAnEndIsRefused) {
  put(KallsymsSample{}.tables());
  const std::vector<std::byte> endless(0x2000, std::byte{'x'});
  memory_.put(kTables + 0x2000, endless);
  EXPECT_EQ(read_kallsyms(memory_, info()).error().code, base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::kernel
