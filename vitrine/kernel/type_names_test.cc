// Names that are unique, for types that have none or share one.
#include "vitrine/kernel/type_names.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace vitrine::kernel {
namespace {

TypeId id(int number) { return TypeId{static_cast<std::uint32_t>(number)}; }

class TypeNamesTest : public testing::Test {
 protected:
  TypeNamesTest() : btf_(btf__new_empty()) {
    integer_ = btf__add_int(btf_, "int", 4, BTF_INT_SIGNED);
  }
  ~TypeNamesTest() override { btf__free(btf_); }

  int structure(const char* name, const char* member) {
    const int made = btf__add_struct(btf_, name, 4);
    btf__add_field(btf_, member, integer_, 0, 0);
    return made;
  }

  const TypeNames& names() {
    std::uint32_t size = 0;
    const auto* bytes = static_cast<const std::byte*>(btf__raw_data(btf_, &size));
    auto types = Types::parse({bytes, size});
    if (!types) throw std::runtime_error(to_string(types.error()));
    types_.emplace(std::move(*types));
    return names_.emplace(*types_);
  }

  struct btf* btf_;
  int integer_ = 0;

 private:
  std::optional<Types> types_;
  std::optional<TypeNames> names_;
};

TEST_F(TypeNamesTest, AreTheTypesOwn) {
  const int page = structure("page", "flags");
  const int color = btf__add_enum(btf_, "page", 4);
  EXPECT_EQ(names().name(id(page)), "page");
  EXPECT_EQ(names().name(id(color)), "page") << "enumerations have names of their own";
  EXPECT_EQ(names().name(id(integer_)), "int");
  EXPECT_EQ(names().name(id(0)), "");
  EXPECT_EQ(names().name(id(4711)), "");
}

TEST_F(TypeNamesTest, AreInventedForTheLaterOfOneName) {
  const int first = structure("twin", "a");
  const int second = structure("twin", "b");
  EXPECT_EQ(names().name(id(first)), "twin");
  EXPECT_EQ(names().name(id(second)), "twin_3");
}

TEST_F(TypeNamesTest, AreInventedForTheAnonymous) {
  const int nameless = structure(nullptr, "a");
  const int values = btf__add_enum(btf_, nullptr, 4);
  EXPECT_EQ(names().name(id(nameless)), "unnamed_2");
  EXPECT_EQ(names().name(id(values)), "unnamed_3");
}

TEST_F(TypeNamesTest, DifferFromOnesThatLookInvented) {
  const int nameless = structure(nullptr, "a");
  const int forged = structure("unnamed_2", "b");
  EXPECT_EQ(names().name(id(forged)), "unnamed_2");
  EXPECT_EQ(names().name(id(nameless)), "unnamed_2_");
}

TEST_F(TypeNamesTest, AreThoseOfTheFormatForNoGuestsType) {
  const int forged = btf__add_int(btf_, "pointer", 1, 0);
  EXPECT_NE(names().name(id(forged)), "pointer");
}

TEST_F(TypeNamesTest, ATypedefNamesWhatIsAnonymous) {
  const int nameless = structure(nullptr, "counter");
  const int alias = btf__add_typedef(btf_, "atomic_t", nameless);
  const int constant = btf__add_const(btf_, alias);
  const int page = structure("page", "flags");
  const int other = btf__add_typedef(btf_, "page_t", page);
  EXPECT_EQ(names().named(id(constant)), id(alias));
  EXPECT_EQ(names().name(id(alias)), "atomic_t");
  EXPECT_EQ(names().named(id(other)), id(page));
  EXPECT_THAT(names().composites(),
              testing::UnorderedElementsAre(id(nameless), id(alias), id(page)));
}

TEST_F(TypeNamesTest, ADeclarationIsItsDefinition) {
  const int declared = btf__add_fwd(btf_, "page", BTF_FWD_STRUCT);
  const int page = structure("page", "flags");
  const int unknown = btf__add_fwd(btf_, "elsewhere", BTF_FWD_STRUCT);
  EXPECT_EQ(names().named(id(declared)), id(page));
  EXPECT_EQ(names().named(id(unknown)), id(0));
}

TEST_F(TypeNamesTest, TypedefsThatDoNotEndLeadNowhere) {
  const int next = integer_ + 1;
  btf__add_typedef(btf_, "round", next + 1);
  btf__add_typedef(btf_, "and_round", next);
  EXPECT_EQ(names().named(id(next)), id(0));
}

}  // namespace
}  // namespace vitrine::kernel
