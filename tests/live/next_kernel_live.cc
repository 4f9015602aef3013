// A guest that boots another kernel by itself (kexec) keeps what the former one left in memory: a
// watch goes over to the new kernel, and who looks afterwards sees nothing of the old one.
#include <sstream>
#include <thread>

#include "tests/live/guest_test.h"

namespace vitrine::live {
namespace {

class NextKernel : public testing::TestWithParam<const char*> {};

// `vitrine ps --watch` as it runs: its complete lines so far.
class Watch {
 public:
  explicit Watch(const Guest& guest)
      : process_(vitrine_command({"ps", guest.name(), "--watch", "0.2", "--json"}, folder_.path()),
                 output_, folder_.path() / "errors") {}
  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> all;
    std::istringstream text(read_file(output_));
    for (std::string line; std::getline(text, line) && !text.eof();)
      all.push_back(nlohmann::json::parse(line));
    return all;
  }
  // Whether a line of the release and the boot comes in time.
  bool shows(const std::string& release, std::size_t after) {
    for (int i = 0; i < 300 && process_.running(); ++i) {
      const auto all = lines();
      if (all.size() > after && all.back().at("kernel").at("release") == release) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return false;
  }
  std::filesystem::path cache() const { return folder_.path(); }
  std::string errors() const { return read_file(folder_.path() / "errors"); }

 private:
  TemporaryFolder folder_;
  std::filesystem::path output_ = folder_.path() / "output";
  Subprocess process_;
};

std::string release(Guest& guest) {
  const std::string text = guest.run("uname -r");
  return text.substr(0, text.size() - 1);
}

void expect_only_the_new(Guest& guest, Watch& watch) {
  const std::size_t before = watch.lines().size();
  ASSERT_TRUE(watch.shows(release(guest), before + 2)) << watch.errors() << guest.log();
  const TaskList earlier = guest_tasks(guest, Tasks::processes);
  const std::size_t seen = watch.lines().size();
  ASSERT_TRUE(watch.shows(release(guest), seen + 1)) << watch.errors();
  const auto rows = watch.lines().back().at("rows");
  EXPECT_THAT(differences(rows, earlier, guest_tasks(guest, Tasks::processes)), testing::IsEmpty());

  EXPECT_THAT(compare_ps(guest), testing::IsEmpty());
  const TaskList list = guest_tasks(guest, Tasks::processes);
  const Finished cached =
      vitrine({"ps", guest.name(), "--json"}, std::chrono::seconds(30), watch.cache());
  ASSERT_EQ(cached.status, 0) << cached.errors;
  EXPECT_THAT(differences(nlohmann::json::parse(cached.output).at("rows"), list,
                          guest_tasks(guest, Tasks::processes)),
              testing::IsEmpty());
}

TEST_P(NextKernel, ReplacesTheFormerOneInEveryView) {
  for (const char* kernel : {"6.1", GetParam()})
    if (!kernel_available(kernel)) GTEST_SKIP() << "SKIPPED: guest kernel " << kernel;
  for (int crashes = 0; crashes < 3; ++crashes) {
    Guest guest({.name = "kexec", .sleepers = 70, .next_kernel = GetParam()});
    Watch watch(guest);
    ASSERT_TRUE(watch.shows(release(guest), 0)) << watch.errors();
    guest.run(
        "(sleep 1; exec guest_tool boot /next/vmlinuz /next/initrd "
        "'console=ttyS0 quiet panic=0 vitrine.sleepers=25') > /dev/ttyS0 2>&1 &");
    if (guest.boots()) return expect_only_the_new(guest, watch);
  }
  FAIL() << "the next kernel crashed three times";
}

INSTANTIATE_TEST_SUITE_P(Debian, NextKernel, testing::Values("6.12", "6.1"),
                         [](const auto& chosen) {
                           return chosen.param == std::string("6.1") ? "TheSame" : "Another";
                         });

}  // namespace
}  // namespace vitrine::live
