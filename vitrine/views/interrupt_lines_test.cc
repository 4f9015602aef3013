#include "vitrine/views/interrupt_lines.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/maple_tree.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::MapleEntry;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

struct Line {
  std::vector<std::uint32_t> counts;
  std::string controller = {};  // empty: none
  std::uint64_t hardware_number = 0;
  bool level = false;
  std::vector<std::string> actions = {};
};

class InterruptLinesTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  explicit InterruptLinesTest(GuestOptions options = in_maple_tree()) : guest_(std::move(options)) {
    guest_.add_process({.pid = 1, .comm = "init"});
  }
  static GuestOptions in_maple_tree() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.variables = {{"sparse_irqs", 64}, {"chained_action", 64}, {"irq_err_count", 4}};
    options.kernel.per_cpu_variables = {{"irq_stat", 64}, {"mce_poll_count", 4}};
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual make(const std::string& type) {
    return kernel().allocate(kernel().types().size("struct " + type));
  }
  std::uint64_t text(const std::string& text) {
    const GuestVirtual at = kernel().allocate(text.size() + 1);
    kernel().write(at, text);
    return at.value;
  }
  void count(GuestVirtual counter, const std::vector<std::uint32_t>& counts) {
    for (std::uint32_t cpu = 0; cpu < counts.size(); ++cpu)
      kernel().put(counter + kernel().percpu_offset(cpu), counts[cpu]);
  }

  // Its struct irq_desc.
  GuestVirtual add(std::uint64_t number, const Line& line) {
    const GuestVirtual at = make("irq_desc");
    const GuestVirtual counters = kernel().allocate_percpu(8);
    kernel().set(at, "irq_desc", "kstat_irqs", counters.value);
    count(kernel().member(counters, "irqstat", "cnt"), line.counts);
    if (!line.controller.empty()) {
      const GuestVirtual chip = make("irq_chip");
      kernel().set(chip, "irq_chip", "name", text(line.controller));
      kernel().set(at, "irq_desc", "irq_data.chip", chip.value);
      kernel().set(at, "irq_desc", "irq_data.domain", chip.value);
      kernel().set(at, "irq_desc", "irq_data.hwirq", line.hardware_number);
    }
    kernel().set(at, "irq_desc", "irq_common_data.state_use_accessors",
                 (line.level ? 1U << 13 : 0U) | 7U);
    GuestVirtual link = kernel().member(at, "irq_desc", "action");
    for (const std::string& name : line.actions) {
      actions_.push_back(make("irqaction"));
      kernel().set(actions_.back(), "irqaction", "name", text(name));
      kernel().put(link, actions_.back().value);
      link = kernel().member(actions_.back(), "irqaction", "next");
    }
    lines_.push_back({number, number, at.value});
    return at;
  }
  void plant() { trees_.build(kernel().symbol("sparse_irqs"), lines_); }

  std::vector<NamedRow> collect(bool complete = true) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    auto view = InterruptLines::attach(*located_, guest_.memory());
    if (!view) throw std::runtime_error(to_string(view.error()));
    EXPECT_EQ(observer_->collect(**view).complete, complete);
    return rows_of(**view);
  }
  static const NamedRow& row(const std::vector<NamedRow>& rows, const std::string& irq) {
    for (const NamedRow& found : rows)
      if (found.text("irq") == irq) return found;
    throw std::out_of_range(irq);
  }

  Guest guest_;
  synthetic::MapleTrees trees_{guest_.kernel()};
  std::vector<MapleEntry> lines_;
  std::vector<GuestVirtual> actions_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
};
INSTANTIATE_TEST_SUITE_P(Readers, InterruptLinesTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(InterruptLinesTest, AreThoseThatSomebodyHandles) {
  add(0, {{12, 3}, "IO-APIC", 2, false, {"timer"}});
  add(2, {{0, 0}, "XT-PIC"});
  add(3, {{0, 7}});
  add(9, {{4'000'000'000, 4'000'000'000}, "IO-APIC", 9, true, {"acpi", "virtio0"}});
  const GuestVirtual chained = add(11, {{0, 0}, "IO-APIC", 11});
  kernel().set(chained, "irq_desc", "action", kernel().symbol("chained_action").value);
  plant();
  const std::vector<NamedRow> rows = collect();
  ASSERT_EQ(rows.size(), 3U + 4U);
  const NamedRow& timer = rows[0];
  EXPECT_EQ(timer.text("irq"), "0");
  EXPECT_EQ(timer.number("total"), 15U);
  EXPECT_EQ(timer.text("per_cpu"), "12 3");
  EXPECT_EQ(timer.text("chip"), "IO-APIC");
  EXPECT_EQ(timer.number("hwirq"), 2U);
  EXPECT_EQ(timer.text("trigger"), "edge");
  EXPECT_EQ(timer.text("actions"), "timer");
  EXPECT_EQ(rows[1].text("irq"), "3") << "counted, though nobody handles it any more";
  for (const char* column : {"chip", "hwirq", "actions"}) EXPECT_TRUE(rows[1].is_null(column));
  EXPECT_EQ(rows[2].number("total"), 8'000'000'000U);
  EXPECT_EQ(rows[2].text("trigger"), "level");
  EXPECT_EQ(rows[2].text("actions"), "acpi, virtio0");
}

TEST_P(InterruptLinesTest, ThoseWithoutALineFollow) {
  const GuestVirtual statistics = kernel().symbol("irq_stat");
  count(statistics + kernel().types().offset("<irq_cpustat_t>", "apic_timer_irqs"), {5, 6});
  count(kernel().symbol("mce_poll_count"), {1, 2});
  kernel().put(kernel().symbol("irq_err_count"), std::uint32_t{8});
  const std::vector<NamedRow> rows = collect();
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].text("irq"), "NMI");
  EXPECT_EQ(rows[1].text("irq"), "LOC");
  EXPECT_EQ(rows[1].text("per_cpu"), "5 6");
  EXPECT_EQ(rows[1].text("actions"), "Local timer interrupts");
  EXPECT_TRUE(rows[1].is_null("chip"));
  EXPECT_EQ(row(rows, "MCP").number("total"), 3U);
  EXPECT_EQ(row(rows, "ERR").number("total"), 8U);
  EXPECT_TRUE(row(rows, "ERR").is_null("per_cpu"));
  EXPECT_TRUE(row(rows, "ERR").errors.empty());
}

TEST_P(InterruptLinesTest, CountOnCpusThatAreOnline) {
  add(0, {{12, 3}, "IO-APIC", 2, false, {"timer"}});
  plant();
  kernel().put(kernel().symbol("__cpu_online_mask"), std::uint64_t{2});
  EXPECT_EQ(row(collect(), "0").text("per_cpu"), "3");
}

TEST_P(InterruptLinesTest, OfADamagedGuestSayWhatCouldNotBeRead) {
  const GuestVirtual nowhere(0xdead000000000000);
  const GuestVirtual line = add(0, {{12, 3}, "IO-APIC", 2, false, {"timer", "more"}});
  add(1, {{1, 1}, "IO-APIC", 1, false, {"i8042"}});
  plant();
  // Actions in a ring, and one that is none.
  kernel().set(actions_[1], "irqaction", "next", actions_[0].value);
  EXPECT_TRUE(row(collect(), "0").errors.contains("actions"));
  EXPECT_TRUE(row(collect(), "0").is_null("actions"));
  kernel().set(actions_[1], "irqaction", "next", nowhere.value);
  EXPECT_TRUE(row(collect(), "0").errors.contains("actions"));
  EXPECT_EQ(row(collect(), "0").text("per_cpu"), "12 3");
  for (const char* member : {"irq_data.chip", "kstat_irqs"})
    kernel().set(line, "irq_desc", member, nowhere.value);
  const NamedRow damaged = row(collect(), "0");
  for (const char* column : {"chip", "total", "per_cpu"}) {
    EXPECT_TRUE(damaged.errors.contains(column)) << column;
    EXPECT_TRUE(damaged.is_null(column)) << column;
  }
  EXPECT_EQ(row(collect(), "1").text("actions"), "i8042");
  // A line that is none, and a tree that is none.
  lines_[0].value = nowhere.value;
  plant();
  EXPECT_EQ(row(collect(), "0").errors.size(), 6U) << "all but its number";
  kernel().set(kernel().symbol("sparse_irqs"), "maple_tree", "ma_root", nowhere.value | 2);
  EXPECT_EQ(collect(false).size(), 4U);
}

// A node that leads to itself is no endless number of lines.
TEST_P(InterruptLinesTest, OfATreeInARingEnd) {
  const GuestVirtual ring =
      trees_.node(synthetic::MapleType::range_with_gaps, {{0, ~std::uint64_t{0}, 0}});
  const auto type = synthetic::MapleType::range_with_gaps;
  kernel().put(kernel().member(ring, "maple_arange_64", "slot"),
               synthetic::MapleTrees::pointer(ring, type));
  trees_.set_root(kernel().symbol("sparse_irqs"), ring, type);
  collect(false);
}

// Kernels before 6.5.
class RadixInterruptLinesTest : public InterruptLinesTest {
 protected:
  RadixInterruptLinesTest() : InterruptLinesTest(in_radix_tree()) {}
  static GuestOptions in_radix_tree() {
    GuestOptions options = in_maple_tree();
    options.kernel.variables = {{"irq_desc_tree", 16}};
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Readers, RadixInterruptLinesTest,
                         ::testing::ValuesIn(synthetic::every_reader));

TEST_P(RadixInterruptLinesTest, AreTheSame) {
  add(4, {{1, 2}, "IO-APIC", 4, false, {"ttyS0"}});
  const GuestVirtual node = make("xa_node");
  kernel().put(kernel().member(node, "xa_node", "slots") + std::uint64_t{4} * 8, lines_[0].value);
  kernel().set(kernel().symbol("irq_desc_tree"), "xarray", "xa_head", node.value | 2);
  EXPECT_EQ(collect()[0].text("irq"), "4");
  EXPECT_EQ(collect()[0].text("actions"), "ttyS0");
  kernel().put(kernel().member(node, "xa_node", "slots"), node.value | 2);
  EXPECT_EQ(row(collect(false), "4").number("total"), 3U) << "a ring in the first slot";
}

// Kernels from 7.2 on.
class TabledInterruptLinesTest : public InterruptLinesTest {
 protected:
  TabledInterruptLinesTest() : InterruptLinesTest(with_table()) {}
  static GuestOptions with_table() {
    GuestOptions options = in_maple_tree();
    options.kernel.pages = synthetic::PageTypes::byte;
    options.kernel.variables["irq_stat_info"] = 72;
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Readers, TabledInterruptLinesTest,
                         ::testing::ValuesIn(synthetic::every_reader));

TEST_P(TabledInterruptLinesTest, AreNamedByTheKernel) {
  GuestVirtual entry = kernel().symbol("irq_stat_info");
  for (const char* name : {"NMI", "LOC", "SPU"}) {
    kernel().set(entry, "irq_stat_info", "symbol", text(name));
    kernel().set(entry, "irq_stat_info", "text", text(std::string("  What ") + name + " is\n"));
    entry = entry + kernel().types().size("struct irq_stat_info");
  }
  count(kernel().symbol("irq_stat") + 4, {5, 6});
  const std::vector<NamedRow> rows = collect();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].text("irq"), "LOC");
  EXPECT_EQ(rows[1].text("per_cpu"), "5 6");
  EXPECT_EQ(rows[1].text("actions"), "What LOC is");
}

}  // namespace
}  // namespace vitrine::views
