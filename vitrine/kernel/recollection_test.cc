#include "vitrine/kernel/recollection.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/synthetic/attached.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::Memory;

// A kernel as a first run leaves it: it was asked what `ps` needs.
Recollection recollection_of(Guest& guest) {
  const Kernel kernel = synthetic::locate_kernel(guest);
  (void)synthetic::attach_processes(kernel, guest);
  return recollect(kernel, guest.memory()).value();
}

Kernel locate_recalling(Guest& guest, const Recollection& kept) {
  const std::array registers{guest.registers()};
  auto located = locate(guest.memory(), {.registers = registers,
                                         .recall = [&kept](std::string_view) { return kept; }});
  return std::move(located.value());
}

TEST(Recollection, AnswersWithoutReadingTheTables) {
  Guest guest{GuestOptions{}};
  const Recollection kept = recollection_of(guest);
  const Kernel kernel = locate_recalling(guest, kept);
  EXPECT_NE(synthetic::attach_processes(kernel, guest), nullptr);
  EXPECT_FALSE(kernel.answers->grown()) << "something was asked of the tables";
  EXPECT_EQ(kernel.symbols.find("init_task"), guest.kernel().symbol("init_task"));
}

TEST(Recollection, AsksTheTablesWhatWasNotAskedBefore) {
  Guest guest{GuestOptions{}};
  const Kernel kernel = locate_recalling(guest, recollection_of(guest));
  EXPECT_EQ(kernel.types.member("task_struct", "no_such_member").error().code, base::Code::absent);
  EXPECT_TRUE(kernel.answers->grown());
  EXPECT_EQ(kernel.symbols.find("swapper_pg_dir"), guest.kernel().symbol("swapper_pg_dir"));
}

TEST(Recollection, FollowsTheKernelWhereverKaslrPutsIt) {
  GuestOptions moved;
  moved.kernel.kernel_offset = 0x1c000000;
  Guest first{GuestOptions{}};
  Guest second{moved};
  const Recollection kept = recollection_of(first);
  const Kernel kernel = locate_recalling(second, kept);
  EXPECT_EQ(kernel.symbols.find("init_task"), second.kernel().symbol("init_task"));
}

TEST(Recollection, OfAnotherKernelIsNotBelieved) {
  GuestOptions other;
  other.kernel.shuffle_seed = 7;  // the same build id, but other structures: a forgery
  Guest first{GuestOptions{}};
  Guest second{other};
  const Recollection kept = recollection_of(first);
  const Kernel kernel = locate_recalling(second, kept);
  EXPECT_EQ(kernel.types.member("task_struct", "comm").value().offset,
            second.kernel().types().offset("task_struct", "comm"));
}

TEST(Recollection, WithoutSamplesIsNotBelieved) {
  Guest guest{GuestOptions{}};
  Recollection kept = recollection_of(guest);
  kept.samples.clear();
  kept.answers["symbol init_task"] = "=1000";
  const Kernel kernel = locate_recalling(guest, kept);
  EXPECT_EQ(kernel.symbols.find("init_task"), guest.kernel().symbol("init_task"));
}

}  // namespace
}  // namespace vitrine::kernel
