// Of which type variables are.
#include "vitrine/kernel/variable_types.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace vitrine::kernel {
namespace {

//   struct task_struct; struct printk_ringbuffer; struct other;
//   static int of_each_cpu; struct other modules;
class VariableTypesTest : public testing::Test {
 protected:
  VariableTypesTest() : types_(parsed()), variables_(types_) {}

  static Types parsed() {
    struct btf* const btf = btf__new_empty();
    const int integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
    btf__add_struct(btf, "task_struct", 8);
    btf__add_struct(btf, "printk_ringbuffer", 8);
    const int other = btf__add_struct(btf, "other", 8);
    btf__add_var(btf, "of_each_cpu", BTF_VAR_STATIC, integer);
    btf__add_var(btf, "modules", BTF_VAR_GLOBAL_ALLOCATED, other);
    std::uint32_t size = 0;
    const auto* bytes = static_cast<const std::byte*>(btf__raw_data(btf, &size));
    auto types = Types::parse({bytes, size});
    btf__free(btf);
    if (!types) throw std::runtime_error(to_string(types.error()));
    return std::move(*types);
  }

  Types types_;
  VariableTypes variables_;
};

TEST_F(VariableTypesTest, AreWhatTheGuestSays) {
  ASSERT_TRUE(variables_.find("of_each_cpu"));
  EXPECT_EQ(variables_.find("of_each_cpu")->type, TypeId{1});
  EXPECT_EQ(variables_.find("modules")->type, TypeId{4}) << "not struct list_head";
}

TEST_F(VariableTypesTest, AreWhatTheSourcesSayWhereTheGuestHasThatType) {
  EXPECT_EQ(variables_.find("init_task")->type, TypeId{2});
  EXPECT_FALSE(variables_.find("init_task")->pointer);
  EXPECT_EQ(variables_.find("prb")->type, TypeId{3});
  EXPECT_TRUE(variables_.find("prb")->pointer);
  EXPECT_FALSE(variables_.find("init_mm")) << "there is no struct mm_struct";
  EXPECT_FALSE(variables_.find("whatever"));
}

}  // namespace
}  // namespace vitrine::kernel
