#include "vitrine/views/memory_use.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

class MemoryUseTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  MemoryUseTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    const GuestVirtual node = make("pglist_data");
    kernel().put(kernel().symbol("node_data"), node.value);
    kernel().put(kernel().symbol("nr_node_ids"), std::uint32_t{1});
    kernel().set(node, "pglist_data", "nr_zones", 2);
    zones_ = kernel().member(node, "pglist_data", "nr_zones");
    const GuestVirtual zone =
        kernel().member(node, "pglist_data", "node_zones") + kernel().types().size("struct zone");
    kernel().put(kernel().member(zone, "zone", "_watermark") + 8, std::uint64_t{40});
    kernel().set(zone, "zone", "watermark_boost", 2);
    count("vm_zone_stat", 0, 5000);
    count("vm_node_stat", 2, 100);
    count("vm_node_stat", 3, 60);
    count("vm_node_stat", 19, 300);
    count("vm_node_stat", 5, -7);
    kernel().put(kernel().symbol("totalreserve_pages"), std::uint64_t{1000});
    // Block devices: one inode with 11 pages.
    const GuestVirtual super = make("super_block");
    kernel().put(kernel().symbol("blockdev_superblock"), super.value);
    head_ = kernel().member(super, "super_block", "s_inodes");
    const GuestVirtual inode = make("inode");
    const GuestVirtual mapping = make("address_space");
    kernel().set(inode, "inode", "i_mapping", mapping.value);
    kernel().set(mapping, "address_space", "nrpages", 11);
    link_ = kernel().member(inode, "inode", "i_sb_list");
    kernel().put(head_, link_.value);
    kernel().put(link_, head_.value);
    const GuestVirtual committed = kernel().symbol("vm_committed_as");
    const GuestVirtual parts = kernel().allocate_percpu(4);
    kernel().set(committed, "percpu_counter", "count", 70);
    kernel().set(committed, "percpu_counter", "counters", parts.value);
    kernel().put(parts + kernel().percpu_offset(1), std::int32_t{-3});
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.rss = synthetic::RssLayout::percpu_counters;
    options.kernel.variables = {
        {"vm_node_stat", 512},      {"vm_zone_stat", 128},   {"node_data", 64},
        {"nr_node_ids", 4},         {"vm_committed_as", 64}, {"totalreserve_pages", 8},
        {"blockdev_superblock", 8}, {"pcpu_nr_units", 4},    {"pcpu_nr_populated", 4}};
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual make(const std::string& type) {
    return kernel().allocate(kernel().types().size("struct " + type));
  }
  void count(const std::string& counters, std::uint64_t number, std::int64_t pages) {
    kernel().put(kernel().symbol(counters) + number * 8, pages);
  }

  NamedRow row(const std::string& name) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    auto view = MemoryUse::attach(*located_, guest_.memory());
    if (!view) throw std::runtime_error(to_string(view.error()));
    EXPECT_TRUE(observer_->collect(**view).complete);
    for (NamedRow& found : rows_of(**view))
      if (found.text("name") == name) return found;
    throw std::out_of_range(name);
  }
  std::uint64_t pages(const std::string& name) { return row(name).number("bytes") / 4096; }

  Guest guest_{options()};
  GuestVirtual head_, link_, zones_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
};
INSTANTIATE_TEST_SUITE_P(Readers, MemoryUseTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(MemoryUseTest, IsWhatTheKernelCounts) {
  EXPECT_EQ(pages("MemFree"), 5000U);
  EXPECT_EQ(pages("Active(file)"), 60U);
  EXPECT_EQ(pages("SReclaimable"), 0U) << "below zero for a moment";
  EXPECT_EQ(pages("Buffers"), 11U);
  EXPECT_EQ(pages("Cached"), 300U - 11);
  EXPECT_EQ(pages("MemAvailable"), 5000U - 1000 + 160 - 42);
  EXPECT_EQ(pages("Committed_AS"), 67U);
  // What this kernel does not count is left out.
  EXPECT_THROW(row("SwapCached"), std::out_of_range);
}

TEST_P(MemoryUseTest, OfADamagedGuestSaysWhatItCouldNotRead) {
  kernel().put(link_, link_.value);
  EXPECT_TRUE(row("Buffers").errors.contains("bytes"));
  EXPECT_TRUE(row("Cached").errors.contains("bytes"));
  kernel().put(head_, std::uint64_t{0x1000});
  EXPECT_TRUE(row("Buffers").is_null("bytes"));
  EXPECT_EQ(pages("MemFree"), 5000U);
  kernel().put(zones_, std::uint32_t{0xffffffff});
  row("MemAvailable");  // ends
  kernel().put(kernel().symbol("node_data"), std::uint64_t{0xdead000000000000});
  EXPECT_TRUE(row("MemAvailable").errors.contains("bytes"));
}

}  // namespace
}  // namespace vitrine::views
