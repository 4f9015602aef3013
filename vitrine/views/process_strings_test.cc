#include "vitrine/views/process_strings.h"

#include <gtest/gtest.h>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/files.h"
#include "vitrine/views/programs.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::Residence;
using synthetic::rows_of;
using Kind = ProcessStrings::Kind;

using base::kPage;

class ProcessStringsTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  ProcessStringsTest() {
    guest_.add_process({.pid = 1, .comm = "init", .arguments = {"/bin/init", "", "a b", "end"}});
    guest_.add_process({.pid = 2, .comm = "kthread", .kernel_thread = true});
    guest_.add_process({.pid = 3, .comm = "other", .arguments = {"other", ""}});
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 11;
    return options;
  }
  std::vector<NamedRow> collect(base::Result<std::unique_ptr<View>> view) {
    if (!view) throw std::runtime_error(to_string(view.error()));
    Observer observer(*located(), guest_.memory(), GetParam());
    outcome_ = observer.collect(**view);
    return rows_of(**view);
  }
  std::vector<NamedRow> strings(Kind kind, std::optional<std::int64_t> pid) {
    return collect(ProcessStrings::attach(*located(), guest_.memory(), kind, pid));
  }
  std::vector<NamedRow> programs(std::optional<std::int64_t> pid) {
    return collect(Programs::attach(*located(), guest_.memory(), pid));
  }
  const std::optional<kernel::Kernel>& located() {
    if (!located_) located_.emplace(locate_kernel(guest_));
    return located_;
  }
  // Lays an area of strings down; `which`: "arg" or "env".
  void lay_down(const std::string& which, GuestVirtual at, const std::string& bytes) {
    guest_.processes().map_user(1, at, bytes);
    set(which + "_start", at.value);
    set(which + "_end", at.value + bytes.size());
  }
  void set(const std::string& member, std::uint64_t value) {
    guest_.kernel().set(*guest_.processes().of(1).mm, "mm_struct", member, value);
  }

  Guest guest_{options()};
  std::optional<kernel::Kernel> located_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, ProcessStringsTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(ProcessStringsTest, ArgumentsAreListedOneByOne) {
  const auto rows = strings(Kind::arguments, {});
  ASSERT_EQ(rows.size(), 6U);
  EXPECT_EQ(rows[0].text("argument"), "/bin/init");
  EXPECT_EQ(rows[1].text("argument"), "");
  EXPECT_EQ(rows[2].text("argument"), "a b");
  EXPECT_EQ(rows[3].number("index"), 3U);
  EXPECT_EQ(rows[3].text("argument"), "end");
  EXPECT_EQ(rows[4].text("comm"), "other");
  EXPECT_EQ(rows[5].text("argument"), "") << "its last argument is empty";
  EXPECT_EQ(strings(Kind::arguments, 3).size(), 2U);
}

TEST_P(ProcessStringsTest, ATitleIsOneArgument) {
  lay_down("arg", GuestVirtual(0x7ffd00001000), "title of its own" + std::string(50, '\0'));
  const auto rows = strings(Kind::arguments, 1);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].text("argument"), "title of its own");
}

TEST_P(ProcessStringsTest, TheEnvironmentHasNamesAndValues) {
  using namespace std::string_literals;
  lay_down("env", GuestVirtual(0x7ffd00001ff0), "PATH=/bin:/sbin\0EMPTY=\0no equals\0TWO=a=b\0"s);
  const auto rows = strings(Kind::environment, 1);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].text("name"), "PATH");
  EXPECT_EQ(rows[0].text("value"), "/bin:/sbin");
  EXPECT_EQ(rows[1].text("value"), "");
  EXPECT_EQ(rows[2].text("name"), "no equals");
  EXPECT_TRUE(rows[2].is_null("value"));
  EXPECT_EQ(rows[3].text("value"), "a=b");
}

TEST_P(ProcessStringsTest, PagesThatAreMissingAreTold) {
  const GuestVirtual start(0x7ffd00001000);
  std::string bytes = "first" + std::string(1, '\0') + std::string(3 * kPage, 'x');
  bytes += std::string(1, '\0') + "behind" + std::string(1, '\0') + "last" + std::string(1, '\0');
  lay_down("arg", start, bytes);
  guest_.processes().map_user(1, start + kPage, std::string(kPage, 'x'), Residence::swapped_out);
  guest_.processes().map_user(1, start + 2 * kPage, "x", Residence::not_mapped);
  const auto rows = strings(Kind::arguments, 1);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].text("argument"), "first");
  EXPECT_TRUE(rows[1].is_null("argument"));
  EXPECT_EQ(rows[1].number("index"), 1U);
  EXPECT_NE(rows[1].errors.at("argument").find("swapped out"), std::string::npos);
  EXPECT_EQ(rows[2].text("argument"), "behind");
  EXPECT_TRUE(rows[2].is_null("index")) << "others may have been in between";
  EXPECT_EQ(rows[3].text("argument"), "last");
  guest_.processes().map_user(1, start, "x", Residence::swapped_out);
  guest_.processes().map_user(1, start + 3 * kPage, "x", Residence::swapped_out);
  const auto none = strings(Kind::arguments, 1);
  ASSERT_EQ(none.size(), 1U);
  EXPECT_TRUE(none[0].is_null("argument"));
}

TEST_P(ProcessStringsTest, ForgedBoundsAreTold) {
  set("env_start", 0x1000);
  set("env_end", 0x7fffffffffff);
  const auto rows = strings(Kind::environment, 1);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_NE(rows[0].errors.at("name").find("bounds"), std::string::npos);
}

TEST_P(ProcessStringsTest, WhyThereAreNoneIsTold) {
  EXPECT_TRUE(strings(Kind::arguments, 2).empty());
  EXPECT_NE(outcome_.warnings.at(0).find("kernel's threads"), std::string::npos);
  EXPECT_TRUE(programs(9).empty());
  EXPECT_EQ(outcome_.warnings.at(0), "the guest has no process 9");
}

TEST_P(ProcessStringsTest, ProgramsAreNamedByTheirPaths) {
  synthetic::Files files(guest_.kernel(), guest_.processes());
  files.attach(1);
  const GuestVirtual root(
      guest_.kernel().value(files.inode_of(files.root_entry()), "inode", "i_sb"));
  const GuestVirtual entry = files.entry(root, files.root_entry(), "init", 0100755);
  set("exe_file", files.open(1, files.root_mount(), entry).value);
  auto rows = programs({});
  ASSERT_EQ(rows.size(), 1U) << "the other has none yet";
  EXPECT_EQ(rows[0].text("path"), "/init");
  EXPECT_FALSE(rows[0].flag("deleted"));
  guest_.kernel().set(entry, "dentry", "d_hash.pprev", 0);
  EXPECT_TRUE(programs(1)[0].flag("deleted"));
  set("exe_file", 0x1000);
  rows = programs(1);
  EXPECT_TRUE(rows[0].is_null("path"));
  EXPECT_FALSE(rows[0].errors.at("path").empty());
}

}  // namespace
}  // namespace vitrine::views
