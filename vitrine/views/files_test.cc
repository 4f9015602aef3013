#include "vitrine/views/files.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/synthetic/attached.h"
#include "tests/synthetic/files.h"
#include "tests/synthetic/random_of_test.h"
#include "vitrine/views/mounts.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using synthetic::Guest;
using synthetic::GuestOptions;
using synthetic::NamedRow;
using synthetic::Observer;
using synthetic::ReaderKind;
using synthetic::rows_of;

// /a/b is a directory of the root file system, on which another is mounted that has c/file.
class FilesTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  FilesTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    guest_.add_process({.pid = 2, .comm = "kthread", .kernel_thread = true});
    files_.attach(1);
    root_ = GuestVirtual(kernel().value(files_.inode_of(files_.root_entry()), "inode", "i_sb"));
    a_ = files_.entry(root_, files_.root_entry(), "a", 0040755);
    b_ = files_.entry(root_, a_, "b", 0040755);
    const GuestVirtual other = files_.file_system("ext4", 8 << 20 | 1);
    top_ = files_.entry(other, {}, "/", 0040755);
    mount_ = files_.mount(top_, files_.root_mount(), b_);
    c_ = files_.entry(other, top_, "c", 0040755);
    file_ = files_.entry(other, c_, "file");
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 7;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }

  std::vector<NamedRow> rows(bool mounts = false) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    auto view = mounts ? Mounts::attach(*located_, guest_.memory())
                       : Files::attach(*located_, guest_.memory(), {});
    if (!view) throw std::runtime_error(to_string(view.error()));
    outcome_ = observer_->collect(**view);
    return rows_of(**view);
  }
  NamedRow descriptor(std::uint64_t number) {
    for (const NamedRow& row : rows())
      if (!row.is_null("fd") && row.number("fd") == number) return row;
    throw std::out_of_range("no such descriptor");
  }

  Guest guest_{options()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  GuestVirtual root_, a_, b_, top_, mount_, c_, file_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  Outcome outcome_;
};
INSTANTIATE_TEST_SUITE_P(Readers, FilesTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(FilesTest, HavePathsAcrossMounts) {
  files_.open(1, mount_, file_, 0100002);
  const NamedRow row = descriptor(0);
  EXPECT_TRUE(outcome_.complete);
  EXPECT_EQ(row.text("path"), "/a/b/c/file");
  EXPECT_EQ(row.text("access"), "rw");
  EXPECT_EQ(row.text("flags"), "0100002");
  EXPECT_EQ(row.text("type"), "file");
  EXPECT_EQ(row.text("device"), "8:1");
  EXPECT_EQ(row.number("size_bytes"), 4321U);
  EXPECT_FALSE(row.flag("deleted"));
  files_.open(1, mount_, c_);
  EXPECT_EQ(descriptor(1).text("path"), "/a/b/c");
  files_.open(1, mount_, top_);
  EXPECT_EQ(descriptor(2).text("path"), "/a/b");
  files_.open(1, files_.root_mount(), files_.root_entry());
  EXPECT_EQ(descriptor(3).text("path"), "/");
  EXPECT_EQ(rows().size(), 4U + 2U) << "and the two directories";
}

TEST_P(FilesTest, WithoutDirectoriesAreNamedAfterTheirFileSystem) {
  const GuestVirtual pipes = files_.file_system("pipefs", 13);
  const GuestVirtual pipe = files_.entry(pipes, {}, "", 0010600);
  files_.open(1, files_.mount(pipe, {}, {}), pipe);
  const std::uint64_t number = kernel().value(files_.inode_of(pipe), "inode", "i_ino");
  EXPECT_EQ(descriptor(0).text("path"), "pipe:[" + std::to_string(number) + "]");
  EXPECT_EQ(descriptor(0).text("type"), "fifo");
  const GuestVirtual pids = files_.entry(files_.file_system("pidfs", 14), {}, "/");
  files_.open(1, files_.mount(pids, {}, {}), pids);
  EXPECT_EQ(descriptor(1).text("path"), "anon_inode:[pidfd]");
}

TEST_P(FilesTest, OfWhichTheNameWasRemovedAreMarked) {
  files_.open(1, mount_, file_);
  kernel().set(file_, "dentry", "d_hash.pprev", 0);
  EXPECT_TRUE(descriptor(0).flag("deleted"));
}

TEST_P(FilesTest, MountsAreListedWithWhereTheyAre) {
  const auto all = rows(true);
  EXPECT_TRUE(outcome_.complete);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].text("path"), "/");
  EXPECT_EQ(all[1].text("path"), "/a/b");
  EXPECT_EQ(all[1].text("type"), "ext4");
  EXPECT_EQ(all[1].text("root"), "/");
  EXPECT_EQ(all[1].text("source"), "source");
  EXPECT_EQ(all[1].number("parent"), all[0].number("id"));
}

// Entries without names that lead to each other, and a tree of mounts that contains itself.
TEST_P(FilesTest, CyclesComeToAnEnd) {
  files_.open(1, mount_, file_);
  kernel().set(c_, "dentry", "d_name.len", 0);
  kernel().set(file_, "dentry", "d_name.len", 0);
  kernel().set(c_, "dentry", "d_parent", file_.value);
  EXPECT_TRUE(descriptor(0).is_null("path"));
  EXPECT_NE(descriptor(0).errors.at("path").find("does not come to an end"), std::string::npos);
  const GuestVirtual children = kernel().member(mount_, "mount", "mnt_mounts");
  const GuestVirtual node = kernel().member(files_.root_mount(), "mount", "mnt_child");
  kernel().put(children, node.value);
  kernel().put(node, children.value);
  EXPECT_EQ(rows(true).size(), 2U);
  EXPECT_FALSE(outcome_.complete);
}

TEST_P(FilesTest, WhateverTheyHoldACollectionEnds) {
  const GuestVirtual file = files_.open(1, mount_, file_);
  std::mt19937_64 random = synthetic::random_of_test();
  const std::vector<GuestVirtual> objects{
      file, file_, c_, top_, b_, a_, mount_, files_.root_mount(), files_.inode_of(file_)};
  for (int round = 0; round < 80; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 24 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    kernel().put(at, random() % 2 == 0 ? random() : objects[random() % objects.size()].value);
    EXPECT_LE(rows().size(), 64U + 2U);
    EXPECT_EQ(outcome_.complete, outcome_.warnings.empty());
    EXPECT_LE(rows(true).size(), 100U);
    kernel().put(at, before);
  }
  EXPECT_EQ(descriptor(0).text("path"), "/a/b/c/file");
}

}  // namespace
}  // namespace vitrine::views
