#include "vitrine/kernel/types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "tests/synthetic/kallsyms_sample.h"

namespace vitrine::kernel {
namespace {

using synthetic::KallsymsSample;
using synthetic::SampleMemory;

// BTF of these types, as libbpf writes it:
//   typedef int pid_t;
//   struct counter { long count; pid_t *owner; };
//   typedef struct { unsigned val; } kuid_t;
//   struct task {
//     int state;
//     union { struct { pid_t pid; int tgid; }; long both; };
//     unsigned a : 3, b : 5;
//     struct counter stat[4];
//     const kuid_t uid;
//     struct counter *mm;
//     char tail[];
//   };
//   enum { MM_FILEPAGES, MM_ANONPAGES };  enum mode { OFF = -1, ON };  enum64 wide { HUGE = 1 << 40
//   };
std::vector<std::byte> sample_btf() {
  struct btf* b = btf__new_empty();
  const int integer = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
  const int word = btf__add_int(b, "unsigned int", 4, 0);
  const int quad = btf__add_int(b, "long", 8, BTF_INT_SIGNED);
  const int character = btf__add_int(b, "char", 1, 0);
  const int pid = btf__add_typedef(b, "pid_t", integer);
  const int pid_pointer = btf__add_ptr(b, pid);
  const int counter = btf__add_struct(b, "counter", 16);
  btf__add_field(b, "count", quad, 0, 0);
  btf__add_field(b, "owner", pid_pointer, 64, 0);
  const int kuid_struct = btf__add_struct(b, nullptr, 4);
  btf__add_field(b, "val", word, 0, 0);
  const int kuid = btf__add_const(b, btf__add_typedef(b, "kuid_t", kuid_struct));
  const int ids = btf__add_struct(b, nullptr, 8);
  btf__add_field(b, "pid", pid, 0, 0);
  btf__add_field(b, "tgid", integer, 32, 0);
  const int either = btf__add_union(b, nullptr, 8);
  btf__add_field(b, nullptr, ids, 0, 0);
  btf__add_field(b, "both", quad, 0, 0);
  const int counters = btf__add_array(b, integer, counter, 4);
  const int tail = btf__add_array(b, integer, character, 0);
  const int counter_pointer = btf__add_ptr(b, counter);
  btf__add_struct(b, "task", 112);
  btf__add_field(b, "state", integer, 0, 0);
  btf__add_field(b, nullptr, either, 8 * 8, 0);
  btf__add_field(b, "a", word, 16 * 8, 3);
  btf__add_field(b, "b", word, 16 * 8 + 3, 5);
  btf__add_field(b, "stat", counters, 24 * 8, 0);
  btf__add_field(b, "uid", kuid, 88 * 8, 0);
  btf__add_field(b, "mm", counter_pointer, 96 * 8, 0);
  btf__add_field(b, "tail", tail, 104 * 8, 0);
  btf__add_enum(b, nullptr, 4);
  btf__add_enum_value(b, "MM_FILEPAGES", 0);
  btf__add_enum_value(b, "MM_ANONPAGES", 1);
  btf__add_enum(b, "mode", 4);
  btf__add_enum_value(b, "OFF", -1);
  btf__add_enum_value(b, "ON", 0);
  btf__add_enum64(b, "wide", 8, false);
  btf__add_enum64_value(b, "HUGE", std::uint64_t{1} << 40);
  std::uint32_t size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(b, &size));
  std::vector<std::byte> bytes(raw, raw + size);
  btf__free(b);
  return bytes;
}

Types types() { return std::move(Types::parse(sample_btf()).value()); }

bool is_refused(std::span<const std::byte> bytes) {
  const auto parsed = Types::parse(bytes);
  return !parsed && parsed.error().code == base::Code::inconsistent;
}

TEST(Types, StructuresAreFoundByNameAndByTypedef) {
  const Types kernel = types();
  EXPECT_EQ(kernel.size_of("task"), 112U);
  EXPECT_EQ(kernel.size_of("kuid_t"), 4U);
  EXPECT_EQ(kernel.find_struct("pid_t").error().code, base::Code::absent);
  EXPECT_EQ(kernel.find_struct("mode").error().code, base::Code::absent);
  EXPECT_EQ(kernel.find_struct("").error().code, base::Code::absent);
}

TEST(Types, AMemberHasOffsetAndSize) {
  const Member mm = *types().member("task", "mm");
  EXPECT_EQ(mm.offset, 96U);
  EXPECT_EQ(mm.size, 8U);
  EXPECT_EQ(mm.bit_size, 0U);
  EXPECT_FALSE(mm.is_array);
}

TEST(Types, AnonymousStructuresAreLookedThrough) {
  const Types kernel = types();
  EXPECT_EQ(kernel.member("task", "pid")->offset, 8U);
  EXPECT_EQ(kernel.member("task", "tgid")->offset, 12U);
  EXPECT_EQ(kernel.member("task", "both")->size, 8U);
}

TEST(Types, PathsLeadThroughStructuresTypedefsAndArrays) {
  const Types kernel = types();
  EXPECT_EQ(kernel.member("task", "uid.val")->offset, 88U);
  EXPECT_EQ(kernel.member("task", "stat[2]")->offset, 24U + 32);
  EXPECT_EQ(kernel.member("task", "stat[2]")->size, 16U);
  EXPECT_EQ(kernel.member("task", "stat[3].owner")->offset, 24U + 48 + 8);
  EXPECT_EQ(kernel.member("task", "tail[5]")->offset, 109U);
  const TypeId uid = kernel.member("task", "uid")->type;
  EXPECT_EQ(kernel.member(uid, "val")->size, 4U);
}

TEST(Types, AnArrayTellsItsElements) {
  const Types kernel = types();
  const Member stat = *kernel.member("task", "stat");
  EXPECT_TRUE(stat.is_array);
  EXPECT_EQ(stat.element_count, 4U);
  EXPECT_EQ(stat.element_size, 16U);
  EXPECT_EQ(stat.size, 64U);
  EXPECT_EQ(kernel.member("task", "tail")->element_count, 0U);
  EXPECT_FALSE(kernel.member("task", "stat[0]")->is_array);
}

TEST(Types, ABitFieldTellsItsStorageUnit) {
  const Types kernel = types();
  const Member b = *kernel.member("task", "b");
  EXPECT_EQ(b.offset, 16U);
  EXPECT_EQ(b.size, 4U);
  EXPECT_EQ(b.bit_offset, 3U);
  EXPECT_EQ(b.bit_size, 5U);
  EXPECT_EQ(kernel.member("task", "a")->bit_size, 3U);
}

TEST(Types, WhatIsNotThereIsAbsent) {
  const Types kernel = types();
  for (const char* path : {"", ".", "nothing", "uid.", ".uid", "uid..val", "uid.nothing",
                           "mm.count", "stat.count", "stat[4]", "stat[", "stat[]", "stat[-1]",
                           "stat[1]x", "stat[1][0]", "state[0]", "[0]", "stat[99999999999]"}) {
    EXPECT_FALSE(kernel.has_member("task", path)) << path;
  }
  EXPECT_TRUE(kernel.has_member("task", "stat[1].count"));
  const base::Error error = kernel.member("task", "real_parent").error();
  EXPECT_EQ(error.code, base::Code::absent);
  EXPECT_EQ(error.message, "struct task has no member real_parent in this kernel's BTF");
}

TEST(Types, EnumeratorsAreFoundWithAndWithoutTheirEnumeration) {
  const Types kernel = types();
  EXPECT_EQ(kernel.enum_value("", "MM_ANONPAGES"), 1);
  EXPECT_EQ(kernel.enum_value("mode", "OFF"), -1);
  EXPECT_EQ(kernel.enum_value("wide", "HUGE"), std::int64_t{1} << 40);
  EXPECT_FALSE(kernel.enum_value("mode", "MM_ANONPAGES").has_value());
  EXPECT_FALSE(kernel.enum_value("", "NOTHING").has_value());
  EXPECT_FALSE(kernel.enum_value("task", "ON").has_value());
}

TEST(Types, RawBytesParseAgain) {
  const Types kernel = types();
  EXPECT_EQ(Types::parse(kernel.raw())->size_of("task"), 112U);
}

TEST(Types, DamagedHeadersAreRefused) {
  const std::vector<std::byte> good = sample_btf();
  ASSERT_FALSE(is_refused(good));
  EXPECT_TRUE(is_refused({}));
  for (std::size_t i = 0; i < sizeof(btf_header); ++i) {
    std::vector<std::byte> bad = good;
    bad[i] ^= std::byte{0x80};
    EXPECT_TRUE(is_refused(bad)) << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_TRUE(is_refused(std::span(good).first(size))) << size;
  }
}

TEST(Types, AStructureWithinItselfEndsTheSearch) {
  struct btf* b = btf__new_empty();
  btf__add_struct(b, "loop", 8);
  for (int i = 0; i < 20; ++i) btf__add_field(b, nullptr, 1, 0, 0);
  const int first = btf__add_typedef(b, "first", 3);
  btf__add_typedef(b, "second", first);
  std::uint32_t size = 0;
  const auto* raw = static_cast<const std::byte*>(btf__raw_data(b, &size));
  const auto parsed = Types::parse({raw, size});
  btf__free(b);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_FALSE(parsed->has_member("loop", "x"));
  EXPECT_FALSE(parsed->find_struct("first").has_value());
}

int prints = 0;
int count_print(enum libbpf_print_level /*level*/, const char* /*format*/, va_list /*arguments*/) {
  return ++prints;
}

TEST(Types, LibbpfIsQuietOnlyMeanwhile) {
  const libbpf_print_fn_t before = libbpf_set_print(count_print);
  std::vector<std::byte> bad = sample_btf();
  bad[sizeof(btf_header) + 7] = std::byte{0x1f};  // a kind of type that does not exist
  EXPECT_TRUE(is_refused(bad));
  EXPECT_EQ(prints, 0);
  EXPECT_EQ(libbpf_set_print(before), count_print);
}

TEST(Types, TheGuestsOwnAreReadBetweenTheirBounds) {
  const std::vector<std::byte> bytes = sample_btf();
  KallsymsSample tables;
  tables.symbols.push_back({KallsymsSample::base + 0x1000, "R__start_BTF"});
  tables.symbols.push_back({KallsymsSample::base + 0x1000 + bytes.size(), "R__stop_BTF"});
  const auto symbols = Symbols::decode(tables.tables());
  SampleMemory memory(0x8000);
  memory.put(SampleMemory::start + 0x1000, bytes);
  EXPECT_EQ(Types::read(memory, *symbols)->size_of("task"), 112U);
}

TEST(Types, AKernelWithoutBtfIsUnsupported) {
  KallsymsSample tables;
  SampleMemory memory(0x8000);
  EXPECT_EQ(Types::read(memory, *Symbols::decode(tables.tables())).error().code,
            base::Code::unsupported);
  tables.symbols.push_back({KallsymsSample::base + 0x2000, "R__start_BTF"});
  tables.symbols.push_back({KallsymsSample::base + 0x1000, "R__stop_BTF"});
  EXPECT_EQ(Types::read(memory, *Symbols::decode(tables.tables())).error().code,
            base::Code::inconsistent);
}

}  // namespace
}  // namespace vitrine::kernel
