// The technique `fork` on VMs whose memory is not as QEMU gives it by default, and where its tool
// is killed while it writes images.
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include "tests/live/balloon.h"
#include "tests/live/guest_test.h"
#include "tests/live/vm_state.h"
#include "vitrine/host/process.h"

namespace vitrine::live {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

// Bytes of the VMM's memory, as smaps_rollup sums them up.
std::uint64_t rollup(const Guest& guest, const char* field) {
  const auto text = host::read_file(host::ProcRoot().of(guest.pid(), "smaps_rollup"));
  return host::status_number(text.value_or(""), field).value_or(0) << 10;
}

bool host_gives_huge_pages() {
  const std::string mode = read_file("/sys/kernel/mm/transparent_hugepage/enabled");
  return mode.find("[always]") != std::string::npos || mode.find("[madvise]") != std::string::npos;
}

struct ForkVariant {
  const char* name;
  GuestOptions options;
  std::function<void(Guest&)> prepare = [](Guest&) {};
  // Whether the memory is as the variant wants it.
  std::function<bool(const Guest&)> prepared = [](const Guest&) { return true; };
};
void PrintTo(const ForkVariant& variant, std::ostream* out) { *out << variant.name; }

std::vector<ForkVariant> variants() {
  return {
      {"HugePages",
       {.name = "fork-huge", .memory = "256M"},
       [](Guest& guest) { guest.run("dd if=/dev/zero of=/tmp/fill bs=1M count=100 2>/dev/null"); },
       [](const Guest& guest) { return rollup(guest, "AnonHugePages") > std::uint64_t{8} << 20; }},
      {"Locked",
       {.name = "fork-locked", .memory = "128M", .arguments = {"-overcommit", "mem-lock=on"}},
       {},
       [](const Guest& guest) { return rollup(guest, "Locked") > std::uint64_t{100} << 20; }},
      {"Ballooned",
       {.name = "fork-balloon", .arguments = {"-device", "virtio-balloon"}},
       [](Guest& guest) { inflate_balloon(guest, std::uint64_t{192} << 20); }},
      {"TwoNodes",
       {.name = "fork-nodes",
        .arguments = {"-smp", "2", "-object", "memory-backend-ram,id=a,size=256M", "-object",
                      "memory-backend-ram,id=b,size=256M", "-numa", "node,memdev=a", "-numa",
                      "node,memdev=b"}}},
      // As libvirt starts every VM.
      {"UnderSeccomp",
       {.name = "fork-sandbox",
        .arguments = {"-sandbox",
                      "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"}}},
  };
}

class ForkVariants : public testing::TestWithParam<ForkVariant> {};

// Copies are taken one after the other while the guest writes to its memory and verifies it.
TEST_P(ForkVariants, LoseNothing) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  const ForkVariant& variant = GetParam();
  if (variant.options.name == "fork-huge" && !host_gives_huge_pages())
    GTEST_SKIP() << "this host gives no transparent huge pages";
  Guest guest(variant.options);
  if (variant.prepare) variant.prepare(guest);
  ASSERT_TRUE(variant.prepared(guest)) << "the VM's memory is not what is to be tested";
  const json before = vm_state(guest);
  const std::uint64_t resident = rollup(guest, "Rss");
  guest.run("(guest_tool check_memory 32 8 >/tmp/memory 2>&1 &)");
  const json rate = vitrine_json({"rate", guest.name(), "--technique", "fork", "--seconds", "4"});
  EXPECT_GT(rate.at("views"), 5) << rate;
  EXPECT_EQ(guest.run("cat /tmp/memory"), "") << "the check was over before";
  guest.run("while ! [ -s /tmp/memory ]; do sleep 0.2; done", std::chrono::seconds(90));
  EXPECT_THAT(guest.run("cat /tmp/memory"), testing::MatchesRegex("right: [0-9]+\n"));
  EXPECT_THAT(compare_ps(guest, {"--technique", "fork"}), IsEmpty());
  EXPECT_EQ(json::diff(before, vm_state(guest)), json::array());
  // What the guest gave back stays given back: 40 MiB are those of the check.
  EXPECT_LT(rollup(guest, "Rss"), resident + (std::uint64_t{48} << 20));
  std::cout << rate.at("views") << " copies, stopped " << rate.at("stopped_ns").get<double>() / 1e6
            << " ms each\n";
}

INSTANTIATE_TEST_SUITE_P(Any, ForkVariants, testing::ValuesIn(variants()),
                         [](const auto& variant) { return std::string(variant.param.name); });

// Whatever the instant at which a tool is killed that writes what changed since an image: the VM is
// as before, and nothing but whole images lies in the folder.
TEST(ForkKills, AnIncrementalImageThatIsCutOffLeavesNothing) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  Guest guest({.name = "fork-kills", .memory = "128M", .sleepers = 5});
  const TemporaryFolder images;
  const json before = vm_state(guest);
  const auto path = [&images](const std::string& name) { return (images.path() / name).string(); };
  const auto snapshot = [&](const std::string& name, const std::string& since) {
    std::vector<std::string> arguments{"snapshot", guest.name(), "--technique", "fork",   "-o",
                                       path(name), "--hold",     "20",          "--force"};
    if (!since.empty()) arguments.insert(arguments.end(), {"--since", path(since)});
    return arguments;
  };
  ASSERT_EQ(vitrine(snapshot("base", ""), std::chrono::minutes(2)).status, 0);
  const auto started = std::chrono::steady_clock::now();
  ASSERT_EQ(vitrine(snapshot("next", "base"), std::chrono::minutes(2)).status, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - started);
  std::mt19937 random(std::random_device{}());
  int killed = 0;
  for (int i = 0; i < 12; ++i) {
    const std::chrono::milliseconds after(random() % static_cast<unsigned>(whole.count() + 1));
    SCOPED_TRACE(testing::Message() << "killed after " << after.count() << " ms");
    const std::string name = "cut-" + std::to_string(i);
    const TemporaryFolder files;
    Subprocess tool(vitrine_command(snapshot(name, "base")), files.path() / "out",
                    files.path() / "err");
    if (!tool.wait(after)) {
      tool.kill();
      ++killed;
    }
    // Published whole, with its manifest, or not at all.
    const bool there = std::filesystem::exists(path(name));
    if (there && std::filesystem::exists(path(name) + ".json")) {
      EXPECT_EQ(vitrine({"snapshot", "--merge", path(name), "-o", path("merged"), "--force"},
                        std::chrono::minutes(2))
                    .status,
                0);
    }
    EXPECT_EQ(guest.run("echo alive"), "alive\n");
  }
  EXPECT_GT(killed, 3);
  json now;
  // Held copies end after their 20 seconds.
  for (int i = 0; i < 400; ++i) {
    now = vm_state(guest);
    if (now == before) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(json::diff(before, now), json::array());
}

TEST(ForkRefuses, MemoryThatIsShared) {
  if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  const Guest guest({.name = "fork-shared",
                     .memory = "128M",
                     .arguments = {"-object", "memory-backend-memfd,id=ram,size=128M,share=on",
                                   "-machine", "memory-backend=ram"}});
  const Finished refused = vitrine({"ps", guest.name(), "--technique", "fork"});
  EXPECT_EQ(refused.status, 1) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("shared"));
}

}  // namespace
}  // namespace vitrine::live
