// Types as C shows them, and values by their types.
#include "vitrine/kernel/typed_value.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;

//   enum color { RED, BLUE = 5 };
//   typedef unsigned int u32;
//   struct inner { long count; struct inner *next; };
//   struct outer {
//     int state; char comm[8]; enum color color; u32 low : 3, high : 5;
//     union { struct inner one; unsigned char raw[16]; };
//     struct inner two[2]; void (*call)(void);
//   };
std::vector<std::byte> valued_types() {
  struct btf* b = btf__new_empty();
  const int integer = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
  const int word = btf__add_int(b, "unsigned int", 4, 0);
  const int quad = btf__add_int(b, "long", 8, BTF_INT_SIGNED);
  const int character = btf__add_int(b, "char", 1, BTF_INT_SIGNED);
  const int octet = btf__add_int(b, "unsigned char", 1, 0);
  const int color = btf__add_enum(b, "color", 4);
  btf__add_enum_value(b, "RED", 0);
  btf__add_enum_value(b, "BLUE", 5);
  const int u32 = btf__add_typedef(b, "u32", word);
  const int inner = btf__add_struct(b, "inner", 16);
  btf__add_field(b, "count", quad, 0, 0);
  btf__add_field(b, "next", inner + 1, 64, 0);
  btf__add_ptr(b, inner);
  const int comm = btf__add_array(b, integer, character, 8);
  const int raw = btf__add_array(b, integer, octet, 16);
  const int two = btf__add_array(b, integer, inner, 2);
  const int either = btf__add_union(b, nullptr, 16);
  btf__add_field(b, "one", inner, 0, 0);
  btf__add_field(b, "raw", raw, 0, 0);
  const int call = btf__add_ptr(b, btf__add_func_proto(b, 0));
  btf__add_struct(b, "outer", 80);
  btf__add_field(b, "state", integer, 0, 0);
  btf__add_field(b, "comm", comm, 4 * 8, 0);
  btf__add_field(b, "color", color, 12 * 8, 0);
  btf__add_field(b, "low", u32, 16 * 8, 3);
  btf__add_field(b, "high", u32, 16 * 8 + 3, 5);
  btf__add_field(b, nullptr, either, 24 * 8, 0);
  btf__add_field(b, "two", two, 40 * 8, 0);
  btf__add_field(b, "call", call, 72 * 8, 0);
  std::uint32_t size = 0;
  const auto* bytes = static_cast<const std::byte*>(btf__raw_data(b, &size));
  std::vector<std::byte> copy(bytes, bytes + size);
  btf__free(b);
  return copy;
}

class PagesMemory final : public memory::VirtualMemory {
 public:
  explicit PagesMemory(GuestVirtual start) : start_(start) {}
  base::Result<void> read(GuestVirtual address, std::span<std::byte> into) override {
    if (missing_ != 0 && address.value / 4096 == missing_)
      return base::fail(base::Code::absent, "page is not mapped");
    std::memcpy(into.data(), &bytes_[address - start_], into.size());
    return {};
  }
  template <class T>
  void put(std::uint64_t offset, T value) {
    std::memcpy(&bytes_[offset], &value, sizeof value);
  }
  void lose_page_of(GuestVirtual address) { missing_ = address.value / 4096; }

 private:
  GuestVirtual start_;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(4096);
  std::uint64_t missing_ = 0;
};

class TypedValueTest : public ::testing::Test {
 protected:
  TypedValue read(GuestVirtual at, const char* type = "outer") {
    auto value = read_value(catalog_, memory_, {.name = {}, .type = *catalog_.find(type)}, at);
    EXPECT_TRUE(value) << to_string(value.error());
    return *value;
  }
  static std::map<std::string, TypedValue> members(const TypedValue& value) {
    std::map<std::string, TypedValue> found;
    for (const TypedValue& part : std::get<TypedValue::Group>(value.value).parts)
      found[part.name] = part;
    return found;
  }

  Types types_ = Types::parse(valued_types()).value();
  TypeCatalog catalog_{types_};
  // 40 bytes before the end of a page.
  const GuestVirtual at_{0xffff888000001000 - 40};
  PagesMemory memory_{at_};
};

TEST_F(TypedValueTest, NamesTypesAsCDoes) {
  std::map<std::string, std::string> texts;
  for (const LayoutMember& member : catalog_.members(*catalog_.find("struct outer")))
    texts[member.name] = catalog_.text(member.type);
  EXPECT_EQ(texts["comm"], "char [8]");
  EXPECT_EQ(texts["color"], "enum color");
  EXPECT_EQ(texts["low"], "u32");
  EXPECT_EQ(texts[""], "union (anonymous)");
  EXPECT_EQ(texts["two"], "struct inner [2]");
  EXPECT_EQ(texts["call"], "void (*)()");
  EXPECT_EQ(catalog_.text(catalog_.members(*catalog_.find("inner"))[1].type), "struct inner *");
  EXPECT_FALSE(catalog_.find("enum outer"));
  EXPECT_EQ(catalog_.shape(*catalog_.find("u32")).size, 4U);
}

TEST_F(TypedValueTest, ReadsEveryKindOfMember) {
  memory_.put(0, std::int32_t{-7});
  memory_.put(4, std::array<char, 8>{'s', 'h', '\x80', '\0', 'x', 'x', 'x', 'x'});
  memory_.put(12, std::uint32_t{5});
  memory_.put(16, std::uint32_t{0b10101'011});
  memory_.put(24, std::int64_t{-1});
  memory_.put(48, std::uint64_t{0xffffffff81000000});
  auto outer = members(read(at_));
  EXPECT_EQ(std::get<std::int64_t>(outer["state"].value), -7);
  EXPECT_EQ(std::get<std::string>(outer["comm"].value), "sh\x80");
  EXPECT_EQ(std::get<TypedValue::Enumerated>(outer["color"].value).name, "BLUE");
  EXPECT_EQ(std::get<std::uint64_t>(outer["low"].value), 3U);
  EXPECT_EQ(std::get<std::uint64_t>(outer["high"].value), 0b10101U);
  auto either = members(outer[""]);
  EXPECT_EQ(std::get<std::int64_t>(members(either["one"])["count"].value), -1);
  EXPECT_EQ(std::get<TypedValue::Group>(either["raw"].value).parts.size(), 16U);
  const auto& two = std::get<TypedValue::Group>(outer["two"].value);
  ASSERT_EQ(two.parts.size(), 2U);
  EXPECT_EQ(std::get<TypedValue::Pointer>(members(two.parts[0])["next"].value).address,
            0xffffffff81000000);
  EXPECT_TRUE(std::get<TypedValue::Pointer>(outer["call"].value).to_function);
}

TEST_F(TypedValueTest, TellsWhatCannotBeReadAndShowsTheRest) {
  memory_.lose_page_of(at_ + 40);
  auto outer = members(read(at_));
  EXPECT_EQ(std::get<std::int64_t>(outer["state"].value), 0);
  EXPECT_TRUE(std::holds_alternative<TypedValue::Missing>(outer["call"].value));
}

TEST_F(TypedValueTest, ReadsABitFieldThatIsNamed) {
  memory_.put(16, std::uint32_t{0b10101'011});
  const auto members = catalog_.members(*catalog_.find("outer"));
  const auto high = std::ranges::find(members, "high", &LayoutMember::name);
  const auto value = read_value(catalog_, memory_, *high, at_ + high->offset);
  ASSERT_TRUE(value);
  EXPECT_EQ(std::get<std::uint64_t>(value->value), 0b10101U);
}

}  // namespace
}  // namespace vitrine::kernel
