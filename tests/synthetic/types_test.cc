#include "tests/synthetic/types.h"

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/synthetic/kernel_types.h"

namespace vitrine::synthetic {
namespace {

struct Free {
  void operator()(struct btf* object) const { btf__free(object); }
};
using Btf = std::unique_ptr<struct btf, Free>;

Btf parse(const std::vector<std::byte>& raw) {
  return Btf(btf__new(raw.data(), static_cast<__u32>(raw.size())));
}

const btf_member* find(const Btf& btf, const btf_type* type, std::string_view name) {
  for (int i = 0; i < btf_vlen(type); ++i)
    if (btf__name_by_offset(btf.get(), btf_members(type)[i].name_off) == name)
      return &btf_members(type)[i];
  return nullptr;
}

const btf_type* struct_of(const Btf& btf, const char* name) {
  return btf__type_by_id(
      btf.get(), static_cast<__u32>(btf__find_by_name_kind(btf.get(), name, BTF_KIND_STRUCT)));
}

TEST(SyntheticTypes, TheBtfSaysWhereTheBuilderPutsMembers) {
  for (const unsigned seed : {0U, 1U, 99U}) {
    const Types types = kernel_types(RssLayout::percpu_counters, TimekeeperHome::tk_data, seed);
    const Btf btf = parse(types.btf());
    ASSERT_NE(btf, nullptr);
    const btf_type* task = struct_of(btf, "task_struct");
    ASSERT_NE(task, nullptr);
    EXPECT_EQ(task->size, 9280U);
    for (const char* name : {"pid", "tgid", "comm", "tasks", "signal", "start_boottime"}) {
      const btf_member* member = find(btf, task, name);
      ASSERT_NE(member, nullptr) << name;
      EXPECT_EQ(member->offset, types.offset("task_struct", name) * 8) << name;
      const auto size = btf__resolve_size(btf.get(), member->type);
      EXPECT_EQ(size, types.size(types.place("task_struct", name).type)) << name;
    }
  }
}

TEST(SyntheticTypes, AnonymousStructsAreLookedThrough) {
  const Types types = kernel_types(RssLayout::atomic_counters, TimekeeperHome::anonymous, 0);
  const Btf btf = parse(types.btf());
  ASSERT_NE(btf, nullptr);
  const btf_type* outer = struct_of(btf, "mm_struct");
  const btf_member* unnamed = find(btf, outer, "");
  ASSERT_NE(unnamed, nullptr);
  const btf_type* inner = btf__type_by_id(btf.get(), unnamed->type);
  EXPECT_EQ(inner->name_off, 0U);
  const btf_member* pgd = find(btf, inner, "pgd");
  ASSERT_NE(pgd, nullptr);
  EXPECT_EQ(pgd->offset / 8, types.offset("mm_struct", "pgd"));
}

TEST(SyntheticTypes, ShufflingMovesMembersAndKeepsThemApart) {
  const Types plain = kernel_types(RssLayout::atomic_counters, TimekeeperHome::anonymous, 0);
  const Types shuffled = kernel_types(RssLayout::atomic_counters, TimekeeperHome::anonymous, 5);
  EXPECT_NE(plain.offset("task_struct", "pid"), shuffled.offset("task_struct", "pid"));
  const Btf btf = parse(shuffled.btf());
  for (const char* name : {"task_struct", "mm_struct", "cred", "signal_struct", "uts_namespace"}) {
    const btf_type* type = struct_of(btf, name);
    ASSERT_NE(type, nullptr) << name;
    __u32 free_from = 0;
    for (int i = 0; i < btf_vlen(type); ++i) {
      const btf_member& member = btf_members(type)[i];
      EXPECT_GE(member.offset / 8, free_from) << name;
      free_from = member.offset / 8 + static_cast<__u32>(btf__resolve_size(btf.get(), member.type));
    }
    EXPECT_LE(free_from, type->size) << name;
  }
}

TEST(SyntheticTypes, PathsGoThroughMembersAndTypedefs) {
  const Types types = kernel_types(RssLayout::atomic_counters, TimekeeperHome::anonymous, 0);
  EXPECT_EQ(types.offset("cred", "uid.val"), types.offset("cred", "uid"));
  EXPECT_EQ(types.offset("task_struct", "tasks.prev"), types.offset("task_struct", "tasks") + 8);
  EXPECT_EQ(types.offset("new_utsname", "release"), 130U);
  EXPECT_THROW(types.offset("task_struct", "no_such_member"), std::out_of_range);
}

}  // namespace
}  // namespace vitrine::synthetic
