#include "vitrine/views/slab_caches.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::PageTypes;
using synthetic::ReaderKind;
using synthetic::rows_of;

class SlabCachesTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  explicit SlabCachesTest(PageTypes pages = PageTypes::bits) : guest_(options(pages)) {
    guest_.add_process({.pid = 1, .comm = "init"});
    clear(kernel().symbol("slab_caches"));
    kernel().put(kernel().symbol("nr_node_ids"), std::uint32_t{2});
    cache_ = add("dentry");
    node_ = give_node(cache_, 0, 5, 100);
    add_slab(cache_, node_, 20, 15);
    add_slab(cache_, node_, 20, 4);
    add_slab(cache_, give_node(cache_, 1, 2, 40), 20, 19);
    give_node(add("empty"), 0, 0, 0);
  }
  static GuestOptions options(PageTypes pages) {
    GuestOptions options;
    options.mapped = true;
    options.kernel.pages = pages;
    options.kernel.variables = {{"slab_caches", 16}, {"nr_node_ids", 4}};
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual make(const std::string& type) {
    return kernel().allocate(kernel().types().size("struct " + type));
  }
  void clear(GuestVirtual head) {
    kernel().put(head, head.value);
    kernel().put(head + 8, head.value);
  }
  void append(GuestVirtual head, GuestVirtual link) {
    const GuestVirtual last(kernel().get<std::uint64_t>(head + 8));
    kernel().put(last, link.value);
    kernel().put(head + 8, link.value);
    kernel().put(link, head.value);
    kernel().put(link + 8, last.value);
  }

  GuestVirtual add(const std::string& name) {
    const GuestVirtual cache = make("kmem_cache");
    const GuestVirtual text = kernel().allocate(name.size() + 1);
    kernel().write(text, name);
    kernel().set(cache, "kmem_cache", "name", text.value);
    kernel().set(cache, "kmem_cache", "size", 192);
    kernel().set(cache, "kmem_cache", "oo.x", 1 << 16 | 20);
    append(kernel().symbol("slab_caches"), kernel().member(cache, "kmem_cache", "list"));
    return cache;
  }
  GuestVirtual give_node(GuestVirtual cache, std::uint64_t number, std::uint64_t slabs,
                         std::uint64_t objects) {
    const GuestVirtual node = make("kmem_cache_node");
    clear(kernel().member(node, "kmem_cache_node", "partial"));
    kernel().set(node, "kmem_cache_node", "nr_slabs.counter", slabs);
    kernel().set(node, "kmem_cache_node", "total_objects.counter", objects);
    const GuestVirtual pointer =
        kernel().options().pages == PageTypes::byte
            ? kernel().member(cache, "kmem_cache", "per_node") + number * 16 + 8
            : kernel().member(cache, "kmem_cache", "node") + number * 8;
    kernel().put(pointer, node.value);
    return node;
  }
  GuestVirtual add_slab(GuestVirtual cache, GuestVirtual node, std::uint64_t objects,
                        std::uint64_t in_use) {
    const GuestVirtual slab = make("slab");
    kernel().set(slab, "slab", "slab_cache", cache.value);
    kernel().set(slab, "slab", "objects", objects);
    kernel().set(slab, "slab", "inuse", in_use);
    last_slab_ = kernel().member(slab, "slab", "slab_list");
    append(kernel().member(node, "kmem_cache_node", "partial"), last_slab_);
    return slab;
  }

  std::vector<NamedRow> collect(bool complete = true) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    auto view = SlabCaches::attach(*located_, guest_.memory());
    if (!view) throw std::runtime_error(to_string(view.error()));
    EXPECT_EQ(observer_->collect(**view).complete, complete);
    return rows_of(**view);
  }
  void expect_what_the_kernel_counts() {
    const std::vector<NamedRow> rows = collect();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].text("name"), "dentry");
    for (const auto& [column, value] :
         std::map<std::string, std::uint64_t>{{"active_objs", 140 - 5 - 16 - 1},
                                              {"num_objs", 140},
                                              {"objsize", 192},
                                              {"objperslab", 20},
                                              {"pagesperslab", 2},
                                              {"active_slabs", 7},
                                              {"num_slabs", 7},
                                              {"bytes", 7 * 8192}})
      EXPECT_EQ(rows[0].number(column), value) << column;
    EXPECT_EQ(rows[1].text("name"), "empty");
    EXPECT_EQ(rows[1].number("active_objs"), 0U);
    for (const NamedRow& row : rows) EXPECT_TRUE(row.errors.empty());
  }
  // Whose list of partly used slabs is damaged.
  void expect_unknown_use() {
    const std::vector<NamedRow> rows = collect();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_TRUE(rows[0].errors.contains("active_objs"));
    EXPECT_EQ(rows[0].errors.size(), 1U);
    EXPECT_TRUE(rows[0].is_null("active_objs"));
    EXPECT_EQ(rows[0].number("num_objs"), 140U);
    EXPECT_TRUE(rows[1].errors.empty());
  }

  Guest guest_;
  GuestVirtual cache_, node_, last_slab_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
};
INSTANTIATE_TEST_SUITE_P(Readers, SlabCachesTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(SlabCachesTest, AreWhatTheKernelCounts) { expect_what_the_kernel_counts(); }

// Kernels from 7.1 on.
class PairedSlabCachesTest : public SlabCachesTest {
 protected:
  PairedSlabCachesTest() : SlabCachesTest(PageTypes::byte) {}
};
INSTANTIATE_TEST_SUITE_P(Readers, PairedSlabCachesTest,
                         ::testing::ValuesIn(synthetic::every_reader));

TEST_P(PairedSlabCachesTest, AreTheSame) { expect_what_the_kernel_counts(); }

TEST_P(SlabCachesTest, ListsOfSlabsThatLeadAstraySayNothing) {
  kernel().put(last_slab_, last_slab_.value);
  expect_unknown_use();
  kernel().put(last_slab_, std::uint64_t{0xdead000000000100});
  expect_unknown_use();
  // To the list of another cache.
  kernel().put(last_slab_, kernel().symbol("slab_caches").value);
  expect_unknown_use();
}

TEST_P(SlabCachesTest, ForgedNumbersAreNoMoreThanThat) {
  const GuestVirtual slab = add_slab(cache_, node_, 1, 30'000);
  kernel().set(node_, "kmem_cache_node", "total_objects.counter", 0);
  EXPECT_EQ(collect()[0].number("active_objs"), 40U - 22);
  kernel().set(slab, "slab", "objects", 65'535);
  EXPECT_EQ(collect()[0].number("active_objs"), 0U) << "more are free than there are";
  kernel().set(cache_, "kmem_cache", "oo.x", 0xffff0001);
  const NamedRow row = collect()[0];
  EXPECT_TRUE(row.errors.contains("pagesperslab"));
  EXPECT_TRUE(row.errors.contains("bytes"));
  EXPECT_EQ(row.number("objperslab"), 1U);
  kernel().put(kernel().symbol("nr_node_ids"), ~std::uint32_t{0});
  EXPECT_EQ(collect().size(), 2U);
}

TEST_P(SlabCachesTest, OfADamagedGuestSayWhatCouldNotBeRead) {
  kernel().set(cache_, "kmem_cache", "name", 0xdead000000000000);
  kernel().put(kernel().member(cache_, "kmem_cache", "node"), std::uint64_t{0xdead000000000000});
  const NamedRow row = collect()[0];
  for (const char* column :
       {"name", "active_objs", "num_objs", "active_slabs", "num_slabs", "bytes"})
    EXPECT_TRUE(row.errors.contains(column)) << column;
  EXPECT_EQ(row.number("objsize"), 192U);
  const GuestVirtual link = kernel().member(cache_, "kmem_cache", "list");
  kernel().put(link, link.value);
  EXPECT_FALSE(collect(false).empty()) << "a ring of caches";
  kernel().put(link, std::uint64_t{0x1000});
  EXPECT_EQ(collect(false).size(), 1U);
}

}  // namespace
}  // namespace vitrine::views
