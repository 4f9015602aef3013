#include "vitrine/session/hints.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace vitrine::session {
namespace {

namespace fs = std::filesystem;

class HintsOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = ::testing::TempDir() + "hints-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    cache_ = folder;
    if (const char* before = std::getenv("XDG_CACHE_HOME")) before_ = before;
    setenv("XDG_CACHE_HOME", cache_.c_str(), 1);
    machine_.process = {4242, 987654};
  }
  void TearDown() override {
    if (before_)
      setenv("XDG_CACHE_HOME", before_->c_str(), 1);
    else
      unsetenv("XDG_CACHE_HOME");
    fs::remove_all(cache_);
  }

  fs::path folder() const { return cache_ / "vitrine"; }
  // The only file that was stored.
  fs::path file() const {
    for (const auto& entry : fs::directory_iterator(folder())) return entry.path();
    return {};
  }
  void store() { store_hints(machine_, {base::GuestPhysical(0x123456000), {}, 7}); }
  bool usable() const {
    const auto hints = load_hints(machine_);
    return hints && hints->note == base::GuestPhysical(0x123456000);
  }

  fs::path cache_;
  std::optional<std::string> before_;
  vmm::Machine machine_;
};

TEST_F(HintsOnDisk, AreLoadedAsStored) {
  EXPECT_FALSE(load_hints(machine_));
  store();
  EXPECT_TRUE(usable());
  store_hints(machine_, {base::GuestPhysical(~std::uint64_t{0}), {}, 7});
  EXPECT_EQ(load_hints(machine_).value().note, base::GuestPhysical(~std::uint64_t{0}));
}

TEST_F(HintsOnDisk, BelongToOneRunOfOneProcess) {
  store();
  machine_.process.start_time += 1;
  EXPECT_FALSE(load_hints(machine_));
  machine_.process = {4243, 987654};
  EXPECT_FALSE(load_hints(machine_));
}

TEST_F(HintsOnDisk, AreForTheirOwnerOnly) {
  store();
  struct stat info {};
  ASSERT_EQ(stat(folder().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  ASSERT_EQ(stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(HintsOnDisk, DamagedOnesAreIgnored) {
  store();
  const fs::path path = file();
  std::ifstream stored(path);
  const std::string good((std::istreambuf_iterator<char>(stored)), {});
  for (std::size_t size = 0; size < good.size(); ++size) {
    std::ofstream(path) << good.substr(0, size);
    EXPECT_FALSE(load_hints(machine_)) << size;
  }
  for (const std::string text :
       {"null", "[]", "\xff\xfe\x00", "{\"format\":1}", "{\"format\":2,\"note\":4096}",
        "{\"note\":4096}", "{\"format\":1,\"note\":-4096}", "{\"format\":1,\"note\":\"4096\"}",
        "{\"format\":1,\"note\":1e99}", "{\"format\":1,\"note\":[4096]}"}) {
    std::ofstream(path) << text;
    EXPECT_FALSE(load_hints(machine_)) << text;
  }
  std::ofstream(path) << std::string(1 << 20, '[');
  EXPECT_FALSE(load_hints(machine_));
  std::ofstream(path) << good;
  EXPECT_TRUE(usable());
}

TEST_F(HintsOnDisk, AFolderThatOthersCanReachIsNotUsed) {
  store();
  for (const auto mode : {fs::perms(0755), fs::perms(0770), fs::perms(0701)}) {
    fs::permissions(folder(), mode);
    EXPECT_FALSE(load_hints(machine_));
  }
  const fs::path path = file();
  fs::remove(path);
  store();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(HintsOnDisk, SymbolicLinksAreNotFollowed) {
  store();
  const fs::path path = file();
  fs::rename(path, cache_ / "elsewhere");
  fs::create_symlink(cache_ / "elsewhere", path);
  EXPECT_FALSE(load_hints(machine_));
  // Storing replaces the link, not what it points to.
  std::ofstream(cache_ / "elsewhere") << "untouched";
  store();
  EXPECT_TRUE(usable());
  EXPECT_EQ(fs::file_size(cache_ / "elsewhere"), 9U);

  fs::rename(folder(), cache_ / "folder");
  fs::create_directory_symlink(cache_ / "folder", folder());
  EXPECT_FALSE(load_hints(machine_));
}

TEST_F(HintsOnDisk, AFileThatIsNoneIsIgnored) {
  store();
  const fs::path path = file();
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_FALSE(load_hints(machine_));
  fs::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  // A pipe without a writer must not make us wait. Opened for both ends, so that it does not.
  std::fstream both(path);
  EXPECT_FALSE(load_hints(machine_));
}

TEST_F(HintsOnDisk, ThoseOfEarlierBootsAreDropped) {
  store();
  const fs::path former = folder() / "00000000-0000-0000-0000-000000000000-1-1.json";
  std::ofstream(former) << "{}";
  machine_.process.pid = 4243;
  store();
  EXPECT_FALSE(fs::exists(former));
  machine_.process.pid = 4242;
  EXPECT_TRUE(usable());
}

TEST_F(HintsOnDisk, AFolderThatCannotBeMadeCostsNothing) {
  std::ofstream(folder()) << "a file where the folder should be";
  store();
  EXPECT_FALSE(load_hints(machine_));
  setenv("XDG_CACHE_HOME", "/proc/no/such/place", 1);
  store();
  EXPECT_FALSE(load_hints(machine_));
}

}  // namespace
}  // namespace vitrine::session
