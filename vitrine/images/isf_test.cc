// Types and symbols as Volatility takes them.
#include "vitrine/images/isf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/synthetic/attached.h"
#include "vitrine/base/base64.h"
#include "vitrine/images/isf_types.h"
#include "vitrine/images/testing/isf_faults.h"

namespace vitrine::images {
namespace {

using base::Json;
using ::testing::IsEmpty;

kernel::Types parsed(const std::function<void(struct btf*)>& add) {
  struct btf* const btf = btf__new_empty();
  btf__add_int(btf, "int", 4, BTF_INT_SIGNED);  // 1
  add(btf);
  std::uint32_t size = 0;
  const auto* bytes = static_cast<const std::byte*>(btf__raw_data(btf, &size));
  auto types = kernel::Types::parse({bytes, size});
  btf__free(btf);
  if (!types) throw std::runtime_error(to_string(types.error()));
  return std::move(*types);
}

Json reference(const std::function<int(struct btf*)>& add) {
  kernel::TypeId type;
  const auto types =
      parsed([&](struct btf* btf) { type.value = static_cast<std::uint32_t>(add(btf)); });
  return base::parse_json(IsfTypes(types).reference(type));
}

std::string text_of(const std::function<void(TextOutput&)>& write) {
  std::string text;
  TextOutput output([&text](std::string_view block) {
    text += block;
    return base::Result<void>();
  });
  write(output);
  const auto finished = output.finish();
  EXPECT_TRUE(finished && *finished == text.size());
  return text;
}

Json user_types(const std::function<void(struct btf*)>& add) {
  const auto types = parsed(add);
  return base::parse_json(
      "{" + text_of([&](TextOutput& output) { IsfTypes(types).write_user_types(output); }) + "}");
}

Json enums(const std::function<void(struct btf*)>& add) {
  const auto types = parsed(add);
  return base::parse_json(
      "{" + text_of([&](TextOutput& output) { IsfTypes(types).write_enums(output); }) + "}");
}

TEST(IsfTypes, RefersToTypesByKindAndName) {
  EXPECT_EQ(reference([](struct btf*) { return 1; }), Json({{"kind", "base"}, {"name", "int"}}));
  EXPECT_EQ(reference([](struct btf*) { return 0; }), Json({{"kind", "base"}, {"name", "void"}}));
  EXPECT_EQ(reference([](struct btf* btf) { return btf__add_struct(btf, "page", 64); }),
            Json({{"kind", "struct"}, {"name", "page"}}));
  EXPECT_EQ(reference([](struct btf* btf) { return btf__add_union(btf, "either", 8); }),
            Json({{"kind", "union"}, {"name", "either"}}));
  EXPECT_EQ(reference([](struct btf* btf) { return btf__add_enum(btf, "color", 4); }),
            Json({{"kind", "enum"}, {"name", "color"}}));
}

TEST(IsfTypes, RefersToWhatPointersAndArraysConsistOf) {
  EXPECT_EQ(reference([](struct btf* btf) {
              return btf__add_ptr(btf, btf__add_array(btf, 1, btf__add_ptr(btf, 0), 5));
            }),
            base::parse_json(R"({"kind":"pointer","subtype":{"kind":"array","count":5,"subtype":
                {"kind":"pointer","subtype":{"kind":"base","name":"void"}}}})"));
  EXPECT_EQ(
      reference([](struct btf* btf) { return btf__add_ptr(btf, btf__add_func_proto(btf, 1)); }),
      base::parse_json(R"({"kind":"pointer","subtype":{"kind":"function"}})"));
}

TEST(IsfTypes, PointersThatDoNotEndAreVoid) {
  EXPECT_EQ(reference([](struct btf* btf) { return btf__add_ptr(btf, 2); }),
            Json({{"kind", "base"}, {"name", "void"}}));
}

TEST(IsfTypes, TellsWhereMembersAre) {
  const Json page = user_types([](struct btf* btf) {
                      btf__add_struct(btf, "page", 16);
                      btf__add_field(btf, "flags", 1, 0, 0);
                      btf__add_field(btf, "low", 1, 64 + 3, 5);
                    }).at("page");
  EXPECT_EQ(page, base::parse_json(R"({"kind":"struct","size":16,"fields":{
      "flags":{"offset":0,"type":{"kind":"base","name":"int"}},
      "low":{"offset":8,"type":{"kind":"bitfield","bit_length":5,"bit_position":3,
                                "type":{"kind":"base","name":"int"}}}}})"));
}

TEST(IsfTypes, MarksAnonymousMembersAndTellsTheirTypes) {
  const Json types = user_types([](struct btf* btf) {
    const int inner = btf__add_union(btf, nullptr, 8);  // 2
    btf__add_field(btf, "a", 1, 0, 0);
    btf__add_struct(btf, "outer", 16);
    btf__add_field(btf, nullptr, inner, 64, 0);
  });
  EXPECT_EQ(types.at("outer").at("fields").at("unnamed_field_0"),
            base::parse_json(R"({"anonymous":true,"offset":8,
                                 "type":{"kind":"union","name":"unnamed_2"}})"));
  EXPECT_EQ(types.at("unnamed_2").at("kind"), "union");
  EXPECT_TRUE(types.at("unnamed_2").at("fields").contains("a"));
}

TEST(IsfTypes, TellsAnonymousStructuresByTheirTypedefToo) {
  const Json types = user_types([](struct btf* btf) {
    const int inner = btf__add_struct(btf, nullptr, 4);
    btf__add_field(btf, "counter", 1, 0, 0);
    const int alias = btf__add_typedef(btf, "atomic_t", inner);
    btf__add_struct(btf, "page", 4);
    btf__add_field(btf, "_refcount", alias, 0, 0);
  });
  EXPECT_EQ(types.at("page").at("fields").at("_refcount").at("type").at("name"), "atomic_t");
  EXPECT_EQ(types.at("atomic_t").at("fields").at("counter").at("offset"), 0);
}

TEST(IsfTypes, TellsAMemberThatComesTwiceOnce) {
  const auto types = parsed([](struct btf* btf) {
    btf__add_struct(btf, "forged", 8);
    for (const std::uint32_t at : {0U, 32U}) btf__add_field(btf, "a", 1, at, 0);
  });
  const std::string text =
      "{" + text_of([&](TextOutput& output) { IsfTypes(types).write_user_types(output); }) + "}";
  EXPECT_THAT(testing::repeated_keys(text), IsEmpty());
  EXPECT_THAT(testing::repeated_keys(R"({"a":1,"b":{"c":1,"c":2}})"), ::testing::ElementsAre("c"));
}

TEST(IsfTypes, TellsEnumerationsByAnIntegerOfTheirSize) {
  const Json all = enums([](struct btf* btf) {
    btf__add_int(btf, "unsigned int", 4, 0);
    btf__add_enum(btf, "color", 4);
    btf__add_enum_value(btf, "RED", 0);
    btf__add_enum_value(btf, "BLUE", 5);
    btf__add_enum(btf, "level", 4);
    btf__add_enum_value(btf, "NONE", -1);
    btf__add_enum(btf, "tiny", 1);
  });
  EXPECT_EQ(all.at("color"),
            base::parse_json(R"({"size":4,"base":"unsigned int","constants":{"BLUE":5,"RED":0}})"));
  EXPECT_EQ(all.at("level").at("base"), "int");
  EXPECT_EQ(all.at("tiny").at("base"), "void") << "there is no such integer";
}

TEST(IsfTypes, TellsBaseTypesWithThoseOfTheFormat) {
  const auto types = parsed([](struct btf* btf) {
    btf__add_int(btf, "_Bool", 1, BTF_INT_BOOL);
    btf__add_int(btf, "unsigned char", 1, 0);
    btf__add_int(btf, "void", 2, 0);
  });
  const Json all = base::parse_json(
      "{" + text_of([&](TextOutput& output) { IsfTypes(types).write_base_types(output); }) + "}");
  EXPECT_EQ(all.at("int"),
            base::parse_json(R"({"size":4,"signed":true,"kind":"int","endian":"little"})"));
  EXPECT_EQ(all.at("_Bool").at("kind"), "bool");
  EXPECT_EQ(all.at("unsigned char").at("kind"), "char");
  EXPECT_EQ(all.at("pointer").at("size"), 8);
  EXPECT_EQ(all.at("void").at("kind"), "void");
}

// A synthetic guest's kernel as a whole.
class IsfTest : public ::testing::Test {
 protected:
  IsfTest() : kernel_(synthetic::locate_kernel(guest_)) {}

  std::string text(const IsfSource& source) {
    auto symbols = kernel::SymbolList::of(**kernel_.symbols.symbols());
    symbols->add("twin", 't', base::GuestVirtual(0xffffffff9d000100));
    symbols->add("twin", 'T', base::GuestVirtual(0xffffffff9d000200));
    return text_of([&](TextOutput& output) {
      counts_ = write_isf(source, **kernel_.types.types(), *symbols, output);
    });
  }

  std::uint64_t address(const std::string& symbol) const {
    return guest_.kernel().symbol(symbol).value;
  }

  mutable synthetic::Guest guest_;
  kernel::Kernel kernel_;
  IsfCounts counts_;
};

TEST_F(IsfTest, IsWhatTheSchemaDemands) {
  const std::string document = text({.release = "6.1.0", .producer_version = "1"});
  const Json isf = base::parse_json(document);
  ASSERT_FALSE(isf.is_discarded());
  EXPECT_THAT(testing::IsfFaults::of(isf), IsEmpty());
  EXPECT_THAT(testing::repeated_keys(document), IsEmpty());
  EXPECT_EQ(counts_.symbols, isf.at("symbols").size());
  EXPECT_EQ(counts_.user_types, isf.at("user_types").size());
  EXPECT_EQ(counts_.enums, isf.at("enums").size());
  const Json& task = isf.at("user_types").at("task_struct");
  const auto pid = kernel_.types.member("task_struct", "pid");
  EXPECT_EQ(task.at("fields").at("pid").at("offset"), pid->offset);
  EXPECT_EQ(task.at("size"), *kernel_.types.size_of("task_struct"));
}

TEST_F(IsfTest, HasSymbolsAsTheyWereLinkedWithTheTypesThatAreKnown) {
  const Json symbols =
      base::parse_json(
          text({.release = "6.1.0", .kernel_offset = 0x1c000000, .producer_version = ""}))
          .at("symbols");
  EXPECT_EQ(symbols.at("init_task"),
            Json({{"address", address("init_task") - 0x1c000000},
                  {"type", {{"kind", "struct"}, {"name", "task_struct"}}}}));
  EXPECT_EQ(symbols.at("_text").at("type"), Json({{"kind", "base"}, {"name", "void"}}));
  EXPECT_EQ(symbols.at("twin").at("address"), 0xffffffff81000200) << "the global one";
}

TEST_F(IsfTest, HasTheBannerWithAllItsBytes) {
  const std::string banner("Linux version 6.1.0\n\0", 21);
  const Json with =
      base::parse_json(text({.release = "6.1.0", .banner = banner, .producer_version = ""}));
  const std::string kept = with.at("symbols").at("linux_banner").at("constant_data");
  EXPECT_EQ(base::decode_base64(kept), banner);
  const Json without = base::parse_json(text({.release = "6.1.0", .producer_version = ""}));
  EXPECT_FALSE(without.at("symbols").at("linux_banner").contains("constant_data"));
}

}  // namespace
}  // namespace vitrine::images
