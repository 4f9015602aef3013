#include "vitrine/views/modules.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/modules.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::ModuleMemory;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

struct Variant {
  ReaderKind reader;
  ModuleMemory memory;
  unsigned seed;
};

class ModulesTest : public ::testing::TestWithParam<Variant> {
 protected:
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.modules = GetParam().memory;
    options.kernel.shuffle_seed = GetParam().seed;
    return options;
  }
  std::vector<NamedRow> rows() {
    if (!view_) {
      auto view = Modules::attach(kernel_, guest_.memory());
      if (!view) throw std::runtime_error(to_string(view.error()));
      view_ = std::move(*view);
    }
    outcome_ = observer_.collect(*view_);
    return rows_of(*view_);
  }

  Guest guest_{options()};
  synthetic::Modules modules_{guest_.kernel()};
  kernel::Kernel kernel_ = locate_kernel(guest_);
  Observer observer_{kernel_, guest_.memory(), GetParam().reader};
  std::unique_ptr<View> view_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(
    All, ModulesTest,
    ::testing::Values(Variant{ReaderKind::windowed, ModuleMemory::several, 0},
                      Variant{ReaderKind::gathering, ModuleMemory::layouts, 1},
                      Variant{ReaderKind::recording_windowed, ModuleMemory::several, 2},
                      Variant{ReaderKind::recording_gathering, ModuleMemory::layouts, 3}));

TEST_P(ModulesTest, ShowsEveryFieldTheNewestFirst) {
  const GuestVirtual used = modules_.add({.name = "zsmalloc", .size = 0x9000, .references = 1});
  const GuestVirtual user = modules_.add({.name = "zram",
                                          .size = 0xa000,
                                          .state = 1,
                                          .taints = 1U << 12 | 1U << 13,
                                          .numbers = {{"num_devices", -3}},
                                          .texts = {{"name", "a text"}}});
  modules_.use(user, used);
  const auto all = rows();
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text("name"), "zram");
  EXPECT_EQ(all[0].number("size_bytes"), 0xa000U);
  EXPECT_EQ(all[0].number("users"), 0U);
  EXPECT_TRUE(all[0].is_null("used_by"));
  EXPECT_EQ(all[0].text("state"), "loading");
  EXPECT_EQ(all[0].text("taints"), "OE");
  EXPECT_EQ(all[0].text("parameters"), "num_devices=-3 name=a text");
  EXPECT_EQ(all[0].number("address"), modules_.text(user).value);
  EXPECT_EQ(all[1].text("name"), "zsmalloc");
  EXPECT_EQ(all[1].number("users"), 1U);
  EXPECT_EQ(all[1].text("used_by"), "zram");
  EXPECT_TRUE(all[1].is_null("taints"));
  EXPECT_TRUE(all[1].is_null("parameters"));
}

TEST_P(ModulesTest, ADamagedListEndsAndIsReported) {
  const GuestVirtual one = modules_.add({.name = "one"});
  const GuestVirtual two = modules_.add({.name = "two"});
  const GuestVirtual link = guest_.kernel().member(one, "module", "list");
  for (const std::uint64_t to :
       {std::uint64_t{0}, guest_.kernel().member(two, "module", "list").value, ~std::uint64_t{0}}) {
    guest_.kernel().put(link, to);
    EXPECT_GE(rows().size(), 2U);
    EXPECT_FALSE(outcome_.complete);
    EXPECT_EQ(outcome_.warnings.size(), 1U);
  }
}

TEST_P(ModulesTest, WhateverAModuleHoldsACollectionEnds) {
  const GuestVirtual module = modules_.add({.name = "hostile", .numbers = {{"a", 1}, {"b", 2}}});
  std::mt19937_64 random = synthetic::random_of_test();
  const std::uint64_t words = guest_.kernel().types().size("struct module") / 8;
  for (int round = 0; round < 60; ++round) {
    const GuestVirtual at = module + random() % words * 8;
    const auto before = guest_.kernel().get<std::uint64_t>(at);
    guest_.kernel().put(at, random());
    EXPECT_LE(rows().size(), 2U);
    guest_.kernel().put(at, before);
  }
  EXPECT_EQ(rows().size(), 1U);
}

}  // namespace
}  // namespace vitrine::views
