#include "vitrine/kernel/facts.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/synthetic/attached.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestPhysical;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::megabyte;

using Value = decltype(Finding::value);

std::map<std::string, Value> facts_of(Guest& guest) {
  const Kernel kernel = locate_kernel(guest);
  std::map<std::string, Value> facts;
  for (Finding& finding : read_facts(kernel, guest.memory())) {
    EXPECT_FALSE(finding.found_by.empty()) << finding.fact;
    facts[finding.fact] = std::move(finding.value);
  }
  return facts;
}

TEST(Facts, TellTimesInEveryTimekeeper) {
  using synthetic::TimekeeperHome;
  for (const auto home :
       {TimekeeperHome::anonymous, TimekeeperHome::tk_data, TimekeeperHome::timekeeper_data}) {
    for (const unsigned seed : {0U, 5U}) {
      SCOPED_TRACE(static_cast<int>(home));
      GuestOptions options;
      options.kernel.timekeeper = home;
      options.kernel.shuffle_seed = seed;
      Guest guest(options);
      auto facts = facts_of(guest);
      EXPECT_EQ(facts["uptime_ns"], Value(std::uint64_t{1234567890123}));
      EXPECT_EQ(facts["boot_time"], Value(std::string("2025-06-15T15:06:40Z")));
    }
  }
}

TEST(Facts, TellTheRest) {
  GuestOptions options;
  options.kernel.cpus = 3;
  options.kernel.command_line = "root=/dev/vda1 quiet";
  Guest guest(options);
  auto facts = facts_of(guest);
  EXPECT_EQ(facts["hostname"], Value(std::string("synthetic")));
  EXPECT_EQ(facts["version"], Value(guest.kernel().options().version));
  EXPECT_EQ(facts["cpus_online"], Value(std::uint64_t{3}));
  EXPECT_EQ(facts["cpus_possible"], Value(std::uint64_t{3}));
  EXPECT_EQ(facts["memory_bytes"], Value(64 * megabyte));
  EXPECT_EQ(facts["command_line"], Value(std::string("root=/dev/vda1 quiet")));
}

TEST(Facts, LeaveOutWhatTheKernelDoesNotTell) {
  GuestOptions options;
  options.kernel.missing_symbols = {"tk_core", "__num_online_cpus", "_totalram_pages"};
  Guest guest(options);
  auto facts = facts_of(guest);
  for (const char* missing : {"uptime_ns", "boot_time", "cpus_online", "memory_bytes"})
    EXPECT_FALSE(facts.contains(missing)) << missing;
  EXPECT_TRUE(facts.contains("hostname"));
}

TEST(Facts, BoundTextsThatDoNotEnd) {
  Guest guest;
  guest.kernel().write(guest.kernel().symbol("synthetic_command_line"), std::string(2048, 'x'));
  auto facts = facts_of(guest);
  EXPECT_EQ(facts["command_line"], Value(std::string(2048, 'x')));
}

GuestOptions with_resources() {
  GuestOptions options;
  options.kernel.resources = {{{GuestPhysical(0), 4096}, "Reserved"},
                              {{GuestPhysical(megabyte), 63 * megabyte}, "System RAM"},
                              {{GuestPhysical(0xfec00000), 4096}, "IOAPIC 0"},
                              {{GuestPhysical(4096), 0x9e000}, "System RAM"}};
  return options;
}

TEST(SystemRam, ListsWhatTheGuestHoldsToBeRam) {
  Guest guest(with_resources());
  const auto ram = read_system_ram(locate_kernel(guest), guest.memory());
  ASSERT_TRUE(ram) << to_string(ram.error());
  EXPECT_EQ(*ram, (std::vector<memory::Range>{{GuestPhysical(4096), 0x9e000},
                                              {GuestPhysical(megabyte), 63 * megabyte}}));
}

TEST(SystemRam, IsAbsentWhereTheKernelDoesNotNameIt) {
  Guest guest;
  const auto ram = read_system_ram(locate_kernel(guest), guest.memory());
  ASSERT_FALSE(ram);
  EXPECT_EQ(ram.error().code, Code::absent);
}

TEST(SystemRam, RefusesAListThatDoesNotEndOrBreaksOff) {
  Guest guest(with_resources());
  synthetic::Kernel& kernel = guest.kernel();
  const Kernel located = locate_kernel(guest);
  const base::GuestVirtual root = kernel.symbol("iomem_resource");
  const base::GuestVirtual first(kernel.value(root, "resource", "child"));
  kernel.set(first, "resource", "sibling", first.value);
  const auto endless = read_system_ram(located, guest.memory());
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, Code::inconsistent);
  kernel.set(first, "resource", "sibling", 0xdead000000000100);
  const auto broken = read_system_ram(located, guest.memory());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::unreadable);
}

}  // namespace
}  // namespace vitrine::kernel
