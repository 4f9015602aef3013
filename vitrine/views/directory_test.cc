#include "vitrine/views/directory.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/files.h"
#include "tests/synthetic/page_cache.h"
#include "tests/synthetic/random_of_test.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

// /usr/bin/tool, /bin -> usr/bin, and a file system on /mnt that has file, sub/ and links.
class DirectoryTest
    : public ::testing::TestWithParam<std::tuple<ReaderKind, synthetic::ModuleMemory>> {
 protected:
  DirectoryTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    guest_.add_process({.pid = 7, .comm = "other"});
    files_.attach(1);
    files_.attach(7);
    root_ = files_.root_entry();
    super_ = GuestVirtual(kernel().value(files_.inode_of(root_), "inode", "i_sb"));
    usr_ = directory(root_, "usr");
    bin_ = directory(usr_, "bin");
    tool_ = files_.entry(super_, bin_, "tool", 0104755);
    files_.link(super_, root_, "bin", "usr/bin");
    mnt_ = directory(root_, "mnt");
    other_ = files_.file_system("ext4", 8 << 20 | 1);
    top_ = files_.entry(other_, {}, "/", 0040700);
    mount_ = files_.mount(top_, files_.root_mount(), mnt_);
    file_ = files_.entry(other_, top_, "file");
    sub_ = files_.entry(other_, top_, "sub", 0041777);
    files_.link(other_, top_, "up", "../usr/./bin/");
    files_.link(other_, top_, "round", "/mnt/round");
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 7;
    options.kernel.modules = std::get<1>(GetParam());
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual directory(GuestVirtual parent, const std::string& name) {
    return files_.entry(super_, parent, name, 0040755);
  }

  std::vector<NamedRow> rows(const std::string& path, std::int64_t pid = 1) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), std::get<0>(GetParam()));
    }
    auto view = Directory::attach(*located_, guest_.memory(), {.path = path, .pid = pid});
    if (!view) throw std::runtime_error(to_string(view.error()));
    outcome_ = observer_->collect(**view);
    failure_ = static_cast<const Directory&>(**view).failure();
    return rows_of(**view);
  }
  std::vector<std::string> names(const std::string& path) {
    std::vector<std::string> names;
    for (const NamedRow& row : rows(path)) names.push_back(row.text("name"));
    return names;
  }
  base::Code why_not(const std::string& path, std::int64_t pid = 1) {
    EXPECT_TRUE(rows(path, pid).empty());
    EXPECT_FALSE(outcome_.complete);
    return failure_ ? failure_->code : base::Code::gone;
  }
  std::vector<GuestVirtual> entries() const {
    return {root_, usr_, bin_, tool_, mnt_, top_, file_, sub_};
  }

  Guest guest_{options()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  GuestVirtual root_, super_, usr_, bin_, tool_, mnt_, other_, top_, mount_, file_, sub_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  Outcome outcome_;
  std::optional<base::Error> failure_;
};
INSTANTIATE_TEST_SUITE_P(Readers, DirectoryTest,
                         ::testing::Combine(::testing::ValuesIn(synthetic::every_reader),
                                            ::testing::Values(synthetic::ModuleMemory::layouts,
                                                              synthetic::ModuleMemory::several)));

using Names = std::vector<std::string>;

TEST_P(DirectoryTest, HasItsEntriesByName) {
  EXPECT_EQ(names("/"), Names({"bin", "mnt", "usr"}));
  EXPECT_TRUE(outcome_.complete);
  EXPECT_EQ(names("/usr//bin/"), Names({"tool"}));
  const NamedRow tool = rows("/usr/bin").at(0);
  EXPECT_EQ(tool.text("type"), "file");
  EXPECT_EQ(tool.text("mode"), "4755");
  EXPECT_EQ(tool.text("permissions"), "-rwsr-xr-x");
  EXPECT_EQ(tool.number("uid"), 1000U);
  EXPECT_EQ(tool.number("gid"), 100U);
  EXPECT_EQ(tool.number("size_bytes"), 4321U);
  EXPECT_EQ(tool.number("mtime_ns"), 1'700'000'000'123'456'789U);
  EXPECT_TRUE(tool.is_null("target"));
  EXPECT_FALSE(tool.flag("mounted"));
  EXPECT_EQ(rows("/").at(0).text("target"), "usr/bin");
}

TEST_P(DirectoryTest, IsFoundAcrossMountsAndLinks) {
  EXPECT_EQ(names("/bin"), Names({"tool"}));
  EXPECT_EQ(names("/mnt"), Names({"file", "round", "sub", "up"}));
  EXPECT_EQ(names("/mnt/up"), Names({"tool"}));
  EXPECT_EQ(names("/mnt/sub/../../usr"), Names({"bin"}));
  EXPECT_EQ(names("/../../mnt/./file"), Names({"file"})) << "a file is its own row";
  const NamedRow mnt = rows("/").at(1);
  EXPECT_TRUE(mnt.flag("mounted"));
  EXPECT_EQ(mnt.text("mode"), "0700") << "that of what is mounted";
  EXPECT_EQ(mnt.text("device"), "8:1");
}

TEST_P(DirectoryTest, IsThatOfTheProcessAsked) {
  const GuestVirtual fs(kernel().value(guest_.processes().task(7), "task_struct", "fs"));
  const GuestVirtual root = kernel().member(fs, "fs_struct", "root");
  kernel().set(root, "path", "mnt", kernel().member(mount_, "mount", "mnt").value);
  kernel().set(root, "path", "dentry", top_.value);
  EXPECT_EQ(rows("/", 7).size(), 4U);
  EXPECT_EQ(rows("/..", 7).size(), 4U) << "nothing leads out of a root directory";
  EXPECT_EQ(why_not("/", 8), base::Code::absent);
  EXPECT_NE(failure_->message.find("no process 8"), std::string::npos);
}

TEST_P(DirectoryTest, TellsWhatIsNotThere) {
  EXPECT_EQ(why_not("/nothing"), base::Code::absent);
  EXPECT_NE(failure_->message.find("the guest has no \"nothing\""), std::string::npos);
  EXPECT_EQ(why_not("/usr/bin/tool/more"), base::Code::absent);
  EXPECT_EQ(why_not("/mnt/round"), base::Code::absent);
  EXPECT_NE(failure_->message.find("too many symbolic links"), std::string::npos);
  EXPECT_EQ(why_not("usr"), base::Code::invalid);
  EXPECT_EQ(why_not(""), base::Code::invalid);
}

// A file system that has its directories on a disk: what nobody looked at is not known.
TEST_P(DirectoryTest, MayHaveMoreThanIsCached) {
  kernel().set(files_.inode_of(top_), "inode", "i_fop", kernel().symbol("linux_banner").value);
  EXPECT_EQ(names("/mnt").size(), 4U);
  EXPECT_FALSE(outcome_.complete);
  EXPECT_EQ(why_not("/mnt/nothing"), base::Code::absent);
  EXPECT_NE(failure_->message.find("is not in the guest's cache"), std::string::npos);
}

TEST_P(DirectoryTest, LeavesOutWhatDoesNotExistAndMarksWhatWasRemoved) {
  const GuestVirtual negative = files_.entry(super_, usr_, "negative");
  kernel().set(negative, "dentry", "d_inode", 0);
  const GuestVirtual removed = files_.entry(super_, usr_, "bin", 0100600);
  kernel().set(removed, "dentry", "d_hash.pprev", 0);
  const auto found = rows("/usr");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].flag("deleted"), found[1].flag("deleted"));
  EXPECT_EQ(names("/usr/bin"), Names({"tool"}));
  EXPECT_EQ(why_not("/usr/negative"), base::Code::absent);
}

TEST_P(DirectoryTest, FollowsLinksThatAreInThePageCache) {
  const GuestVirtual link = files_.entry(super_, root_, "late", 0120777);
  EXPECT_EQ(why_not("/late"), base::Code::absent);
  EXPECT_NE(failure_->message.find("is not in the guest's memory"), std::string::npos);
  synthetic::PageCache cache(kernel());
  cache.add(files_.inode_of(link), 0, std::string("/usr/bin\0junk", 13));
  EXPECT_EQ(names("/late"), Names({"tool"}));
}

TEST_P(DirectoryTest, ComesToAnEndInACycle) {
  const bool circular = std::get<1>(GetParam()) == synthetic::ModuleMemory::layouts;
  const GuestVirtual node = kernel().member(file_, "dentry", circular ? "d_child" : "d_sib");
  kernel().put(node, node.value);
  EXPECT_LE(rows("/mnt").size(), 8U);
  EXPECT_FALSE(outcome_.complete);
  EXPECT_EQ(why_not("/mnt/nothing"), base::Code::inconsistent);
}

TEST_P(DirectoryTest, EndsWhateverItHolds) {
  std::mt19937_64 random = synthetic::random_of_test();
  std::vector<GuestVirtual> objects = entries();
  for (const GuestVirtual entry : entries()) objects.push_back(files_.inode_of(entry));
  objects.push_back(mount_);
  objects.push_back(files_.root_mount());
  for (int round = 0; round < 80; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 24 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    kernel().put(at, random() % 2 == 0 ? random() : objects[random() % objects.size()].value);
    EXPECT_LE(rows("/mnt/up/../../mnt/sub").size(), 100U);
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
    EXPECT_LE(rows("/mnt").size(), 100U);
    kernel().put(at, before);
  }
  EXPECT_EQ(names("/mnt"), Names({"file", "round", "sub", "up"}));
}

}  // namespace
}  // namespace vitrine::views
