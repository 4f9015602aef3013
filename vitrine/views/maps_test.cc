#include "vitrine/views/maps.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/files.h"
#include "tests/synthetic/random_of_test.h"
#include "tests/synthetic/regions.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::RegionHome;
using synthetic::RegionOf;
using synthetic::Residence;
using synthetic::rows_of;

constexpr std::uint64_t kBase = 0x7f0000000000;
using base::kPage;

class MapsOf {
 public:
  explicit MapsOf(ReaderKind reader, RegionHome home = RegionHome::tree)
      : guest_(options(home)), reader_(reader) {
    guest_.add_process({.pid = 1, .comm = "init"});
    guest_.add_process({.pid = 2, .comm = "kthread", .kernel_thread = true});
    guest_.add_process({.pid = 3, .comm = "other"});
    files_.attach(1);
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  Guest& guest() { return guest_; }
  synthetic::Files& files() { return files_; }
  synthetic::Regions& regions() { return regions_; }
  const Outcome& outcome() const { return outcome_; }

  // A struct file of /NAME.
  GuestVirtual file(const std::string& name) {
    const GuestVirtual root(kernel().value(files_.inode_of(files_.root_entry()), "inode", "i_sb"));
    entry_ = files_.entry(root, files_.root_entry(), name);
    return files_.open(1, files_.root_mount(), entry_);
  }
  GuestVirtual last_entry() const { return entry_; }

  std::vector<NamedRow> rows(const MapsOptions& options = {}) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), reader_);
    }
    auto view = Maps::attach(*located_, guest_.memory(), options);
    if (!view) throw std::runtime_error(to_string(view.error()));
    outcome_ = observer_->collect(**view);
    return rows_of(**view);
  }

 private:
  static GuestOptions options(RegionHome home) {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 9;
    options.kernel.regions = home;
    return options;
  }

  Guest guest_;
  ReaderKind reader_;
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  synthetic::Regions regions_{guest_.kernel(), guest_.processes()};
  GuestVirtual entry_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  Outcome outcome_;
};

class MapsTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  MapsOf maps_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Readers, MapsTest, ::testing::ValuesIn(synthetic::every_reader));

std::vector<RegionOf> many(std::size_t count) {
  std::vector<RegionOf> regions;
  for (std::uint64_t i = 0; i < count; ++i)
    regions.push_back({.start = kBase + i * 4 * kPage, .end = kBase + i * 4 * kPage + kPage});
  return regions;
}

TEST_P(MapsTest, ListsEveryRegionInOrder) {
  for (const RegionHome home : {RegionHome::tree, RegionHome::list}) {
    MapsOf maps(GetParam(), home);
    maps.regions().give(1, many(100));
    maps.regions().give(3, many(2));
    const auto rows = maps.rows();
    EXPECT_TRUE(maps.outcome().complete);
    ASSERT_EQ(rows.size(), 102U);
    for (std::uint64_t i = 0; i < 100; ++i) {
      EXPECT_EQ(rows[i].number("start"), kBase + i * 4 * kPage);
      EXPECT_EQ(rows[i].number("size_bytes"), kPage);
      EXPECT_EQ(rows[i].number("pid"), 1U);
      EXPECT_EQ(rows[i].text("permissions"), "rw-p");
      EXPECT_TRUE(rows[i].is_null("path"));
      EXPECT_TRUE(rows[i].is_null("offset"));
      EXPECT_TRUE(rows[i].errors.empty());
    }
    EXPECT_EQ(rows[101].text("comm"), "other");
    EXPECT_EQ(maps.rows({.pid = 3}).size(), 2U);
  }
}

TEST_P(MapsTest, NamesRegionsAsTheKernelDoes) {
  const GuestVirtual program = maps_.file("program");
  maps_.regions().give(
      1, {{.start = 0x1000, .end = 0x3000, .flags = 0x75, .file = program},
          {.start = 0x3000, .end = 0x4000, .file = program, .file_page = 2},
          {.start = 0x5000, .end = 0x9000},
          {.start = 0xa000, .end = 0xb000, .name = "pool"},
          {.start = 0xb000, .end = 0xc000, .flags = 0xfb, .file = program, .name = "shared"},
          {.start = 0xd000, .end = 0xe000, .flags = 0},
          {.start = kBase, .end = kBase + kPage, .flags = 0x75, .special = "[vdso]"},
          {.start = 0x7ffd00000000, .end = 0x7ffd00021000}});
  maps_.regions().set_heap(1, 0x6000, 0x8000);
  maps_.regions().set_stack(1, 0x7ffd00020010);
  auto rows = maps_.rows();
  ASSERT_EQ(rows.size(), 8U);
  EXPECT_EQ(rows[0].text("path"), "/program");
  EXPECT_EQ(rows[0].text("permissions"), "r-xp");
  EXPECT_EQ(rows[0].number("offset"), 0U);
  EXPECT_FALSE(rows[0].flag("deleted"));
  EXPECT_EQ(rows[1].number("offset"), 2 * kPage);
  EXPECT_EQ(rows[1].text("device"), "0:2");
  EXPECT_EQ(rows[2].text("path"), "[heap]");
  EXPECT_EQ(rows[3].text("path"), "[anon:pool]");
  EXPECT_EQ(rows[4].text("path"), "[anon_shmem:shared]");
  EXPECT_EQ(rows[4].text("permissions"), "rw-s");
  EXPECT_TRUE(rows[5].is_null("path"));
  EXPECT_EQ(rows[5].text("permissions"), "---p");
  EXPECT_EQ(rows[6].text("path"), "[vdso]");
  EXPECT_EQ(rows[7].text("path"), "[stack]");
  maps_.kernel().set(maps_.last_entry(), "dentry", "d_hash.pprev", 0);
  rows = maps_.rows();
  EXPECT_TRUE(rows[0].flag("deleted"));
}

TEST_P(MapsTest, ShowsThePageOfSystemCallsWhereThereIsOne) {
  maps_.regions().give(1, many(1));
  synthetic::Kernel& kernel = maps_.kernel();
  const GuestVirtual gate = kernel.symbol("gate_vma");
  kernel.set(gate, "vm_area_struct", "vm_start", 0xffffffffff600000);
  kernel.set(gate, "vm_area_struct", "vm_end", 0xffffffffff601000);
  kernel.set(gate, "vm_area_struct", "vm_flags", 4);
  kernel.put(kernel.symbol("vsyscall_mode"), std::uint32_t{1});
  EXPECT_EQ(maps_.rows().size(), 1U) << "it is for old programs only";
  kernel.set(*maps_.guest().processes().of(1).mm, "mm_struct", "context.flags", 2);
  const auto rows = maps_.rows({.pid = 1, .pages = true});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].text("path"), "[vsyscall]");
  EXPECT_EQ(rows[1].text("permissions"), "--xp");
  EXPECT_EQ(rows[1].number("resident_bytes"), 0U);
}

TEST_P(MapsTest, CountsPages) {
  constexpr std::uint64_t kHuge = 2 << 20;
  maps_.regions().give(1, {{.start = kBase, .end = kBase + 16 * kPage},
                           {.start = kBase + kHuge, .end = kBase + 4 * kHuge}});
  synthetic::Processes& processes = maps_.guest().processes();
  const auto map = [&](std::uint64_t page, Residence residence) {
    processes.map_user(1, GuestVirtual(kBase + page * kPage), "x", residence);
  };
  map(0, Residence::present);
  map(1, Residence::present);
  map(3, Residence::protection_none);
  synthetic::PageTables& tables = *processes.of(1).tables;
  tables.swap_out(GuestVirtual(kBase + 4 * kPage), 0, 5);
  tables.swap_out(GuestVirtual(kBase + 5 * kPage), 30, 5);  // a mark, no swap area
  tables.map(GuestVirtual(kBase + 6 * kPage), base::GuestPhysical(0x5000), 1,
             synthetic::user_page | 1U << 9);  // the page of zeros
  tables.map(GuestVirtual(kBase + kHuge), base::GuestPhysical(4 * kHuge), 2, synthetic::user_page);
  tables.map(GuestVirtual(kBase + 2 * kHuge), base::GuestPhysical(5 * kHuge), 2,
             synthetic::user_page);
  maps_.kernel().put(maps_.kernel().symbol("huge_zero_pfn"), 5 * kHuge / kPage);
  const auto rows = maps_.rows({.pid = 1, .pages = true});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].number("resident_bytes"), 3 * kPage);
  EXPECT_EQ(rows[0].number("swapped_bytes"), kPage);
  EXPECT_EQ(rows[1].number("resident_bytes"), kHuge);
  EXPECT_FALSE(maps_.rows().front().values.contains("resident_bytes"));
}

// A table that stands for itself, and for terabytes: what is counted is bounded.
TEST_P(MapsTest, ForgedTablesAreNotFollowedForEver) {
  maps_.regions().give(1, {{.start = 0x1000, .end = 0x7ffffffff000}});
  synthetic::PageTables& tables = *maps_.guest().processes().of(1).tables;
  tables.set_entry(GuestVirtual(kBase), 4, 0xfff'ffff'f000 | synthetic::user_page);
  auto rows = maps_.rows({.pid = 1, .pages = true});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].is_null("resident_bytes"));
  EXPECT_NE(rows[0].errors.at("resident_bytes").find("outside"), std::string::npos);
}

TEST_P(MapsTest, RegionsThatContradictTheTreeAreTold) {
  maps_.regions().give(1, many(20));
  maps_.kernel().set(maps_.regions().areas()[7], "vm_area_struct", "vm_end", kBase);
  EXPECT_EQ(maps_.rows().size(), 20U);
  EXPECT_FALSE(maps_.outcome().complete);
  EXPECT_NE(maps_.outcome().warnings.at(0).find("process 1"), std::string::npos);
}

TEST_P(MapsTest, AListThatEndsInARingEnds) {
  MapsOf maps(GetParam(), RegionHome::list);
  maps.regions().give(1, many(20));
  maps.kernel().set(maps.regions().areas()[19], "vm_area_struct", "vm_next",
                    maps.regions().areas()[3].value);
  EXPECT_LE(maps.rows().size(), 40U);
  EXPECT_FALSE(maps.outcome().complete);
}

TEST_P(MapsTest, OfWhatHasNoMemoryThereAreNone) {
  EXPECT_TRUE(maps_.rows({.pid = 2}).empty());
  EXPECT_NE(maps_.outcome().warnings.at(0).find("kernel's threads"), std::string::npos);
  EXPECT_TRUE(maps_.rows({.pid = 9}).empty());
  EXPECT_EQ(maps_.outcome().warnings.at(0), "the guest has no process 9");
}

TEST_P(MapsTest, WhateverTheyHoldACollectionEnds) {
  const GuestVirtual file = maps_.file("file");
  std::vector<RegionOf> regions = many(30);
  for (std::size_t i = 0; i < regions.size(); i += 3) regions[i].file = file;
  regions[1].special = "[vvar]";
  regions[4].name = "name";
  maps_.regions().give(1, regions);
  std::vector<GuestVirtual> objects = maps_.regions().nodes();
  objects.insert(objects.end(), maps_.regions().areas().begin(), maps_.regions().areas().end());
  objects.push_back(file);
  std::mt19937_64 random = synthetic::random_of_test();
  for (int round = 0; round < 80; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 24 * 8;
    const auto before = maps_.kernel().get<std::uint64_t>(at);
    maps_.kernel().put(at, random() % 2 == 0 ? random() : objects[random() % objects.size()].value);
    EXPECT_LE(maps_.rows({.pid = {}, .pages = true}).size(), 1000U);
    EXPECT_EQ(maps_.outcome().complete, maps_.outcome().warnings.empty());
    maps_.kernel().put(at, before);
  }
  EXPECT_EQ(maps_.rows().size(), 30U);
  EXPECT_TRUE(maps_.outcome().complete);
}

}  // namespace
}  // namespace vitrine::views
