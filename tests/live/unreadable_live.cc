// Guests that cannot be explained, or that try to mislead: a clear message and status 1, never an
// empty list, within bounded time.
#include <gtest/gtest.h>

#include "tests/live/guest_test.h"
#include "tests/live/qmp_client.h"
#include "vitrine/base/base64.h"

namespace vitrine::live {
namespace {

using testing::IsEmpty;

void expect_refused(const Guest& guest) {
  const Finished refused = vitrine({"ps", guest.name()}, std::chrono::seconds(30));
  EXPECT_EQ(refused.status, 1) << refused.output << guest.log();
  EXPECT_EQ(refused.output, "");
  EXPECT_NE(refused.errors, "");
}

TEST(Unreadable, AGuestInItsFirmware) {
  expect_refused(Guest({.kernel = std::nullopt, .name = "firmware", .memory = "128M"}));
}

TEST(Unreadable, A32BitKernel) {
  if (!kernel_available("6.1-i386")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1-i386";
  Guest guest({.kernel = "6.1-i386", .name = "i386", .wait_until_ready = false});
  guest.wait_for("Kernel panic");  // the initramfs is a 64-bit one; the kernel stays in memory
  expect_refused(guest);
}

class Misleading : public GuestTest {
 protected:
  static void SetUpTestSuite() { boot({.name = "misleading", .reboots = true}); }
};

// An ELF note as the kernel's own, naming a page-table root and symbols that lead nowhere.
std::string forged_note() {
  const std::string text =
      "OSRELEASE=9.9.9-forged\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff82a1a4c0\n"
      "SYMBOL(swapper_pg_dir)=ffffffff82a10000\nSYMBOL(_stext)=ffffffff81000000\n"
      "NUMBER(phys_base)=0\nKERNELOFFSET=0\nSYMBOL(kallsyms_names)=ffffffff82000000\n"
      "SYMBOL(kallsyms_num_syms)=ffffffff82000000\n";
  std::string note("\x0b\0\0\0", 4);
  note += static_cast<char>(text.size() & 0xff);
  note += static_cast<char>(text.size() >> 8);
  note += std::string("\0\0\0\0\0\0VMCOREINFO\0\0", 18);
  return note + text;
}

TEST_F(Misleading, AForgedNotePlantedByAProcessIsNotBelieved) {
  guest().run("guest_tool plant " + base::encode_base64(forged_note()));
  EXPECT_THAT(compare_ps(guest()), IsEmpty());
  EXPECT_THAT(compare_ps(guest(), {"--no-cache"}), IsEmpty());
}

TEST_F(Misleading, FiveWarmReboots) {
  const TemporaryFolder cache;
  for (int round = 0; round < 5; ++round) {
    QmpClient(guest().qmp()).execute("system_reset");
    guest().wait_until_ready();
    EXPECT_THAT(compare_ps(guest()), IsEmpty()) << "reboot " << round;
    // With the same cache all along: what was known of the former kernel is stale.
    const TaskList before = guest_tasks(guest(), Tasks::processes);
    const Finished cached =
        vitrine({"ps", guest().name(), "--json"}, std::chrono::seconds(30), cache.path());
    ASSERT_EQ(cached.status, 0) << cached.errors;
    const TaskList after = guest_tasks(guest(), Tasks::processes);
    EXPECT_THAT(differences(nlohmann::json::parse(cached.output).at("rows"), before, after),
                IsEmpty());
  }
}

}  // namespace
}  // namespace vitrine::live
