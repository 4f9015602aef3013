#include "vitrine/session/hints.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "vitrine/session/kernel_cache.h"

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
  void store() { store_hints(machine_, {base::GuestPhysical(0x123456000), {}, 7, {}}); }
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
  store_hints(machine_, {base::GuestPhysical(~std::uint64_t{0}), {}, 7, {}});
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
       {"null", "[]", "\xff\xfe\x00", R"({"format":1})", R"({"format":2,"note":4096})",
        R"({"note":4096})", R"({"format":1,"note":-4096})", R"({"format":1,"note":"4096"})",
        R"({"format":1,"note":1e99})", R"({"format":1,"note":[4096]})"}) {
    std::ofstream(path) << text;
    EXPECT_FALSE(load_hints(machine_)) << text;
  }
  std::ofstream(path) << std::string(1 << 20, '[');
  EXPECT_FALSE(load_hints(machine_));
  std::ofstream(path) << good;
  EXPECT_TRUE(usable());
}

// Damage that a checksum would hide from the parser.
TEST(HintsText, OfNumbersThatAreNoneIsDamaged) {
  const std::string good = R"({"format":4,"mappings":7,"note":4096,"pieces":[[0,64]],)"
                           R"("regions":[],"source":"monitor"})";
  ASSERT_TRUE(parse_hints(good));
  const auto with = [&](std::string_view number) {
    std::string text = good;
    return text.replace(text.find("4096"), 4, number);
  };
  for (const char* number : {"-1", "1e300", "1.5", "true", "\"4096\"", "[4096]", "null"})
    EXPECT_FALSE(parse_hints(with(number))) << number;
  EXPECT_TRUE(parse_hints(with("18446744073709551615")));
}

// The layout's readers search it, which needs it ascending and disjoint.
TEST(HintsText, OfALayoutThatOverlapsItselfIsDamaged) {
  Hints hints;
  for (const std::uint64_t start : {0x0ull, 0x4000ull}) {
    vmm::RamRegion region;
    region.start = base::GuestPhysical(start);
    region.size = 0x2000;
    region.host = base::HostVirtual(0x7f0000000000 + start);
    hints.layout.regions.push_back(region);
  }
  hints.pieces = {{base::GuestPhysical(0), 64}, {base::GuestPhysical(64), 64}};
  const auto usable = [&hints](auto change) {
    Hints changed = hints;
    change(changed);
    return parse_hints(hints_text(changed)).has_value();
  };
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  EXPECT_TRUE(usable([](Hints&) {}));
  EXPECT_FALSE(usable([](Hints& h) { h.layout.regions[1].start = base::GuestPhysical(0x1fff); }));
  EXPECT_FALSE(usable([](Hints& h) { std::swap(h.layout.regions[0], h.layout.regions[1]); }));
  EXPECT_FALSE(usable([](Hints& h) { h.layout.regions[1].size = 0; }));
  EXPECT_FALSE(usable([](Hints& h) { h.layout.regions[1].size = kAll; }));
  EXPECT_FALSE(usable([](Hints& h) { h.layout.regions[0].host = base::HostVirtual(kAll); }));
  EXPECT_FALSE(usable([](Hints& h) { h.pieces[1].start = base::GuestPhysical(63); }));
  EXPECT_FALSE(usable([](Hints& h) { h.pieces[0].size = 0; }));
}

TEST(RecollectionText, OfNumbersThatAreNoneIsDamaged) {
  const auto with = [](std::string_view sample) {
    return parse_recollection(
        R"({"answers":{},"build_id":"ab","format":1,"release":"6.1","samples":[)" +
        std::string(sample) + "]}");
  };
  EXPECT_TRUE(with("[1,2]"));
  for (const char* sample : {"[-1,2]", "[1,1e300]", "[1.5,2]", "[1]", "[true,2]"})
    EXPECT_FALSE(with(sample)) << sample;
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

TEST_F(HintsOnDisk, OnlyThoseWrittenLastAreKept) {
  for (int pid = 1; pid <= 70; ++pid) {
    machine_.process.pid = pid;
    store();
  }
  EXPECT_TRUE(usable());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 64);
}

TEST_F(HintsOnDisk, KeepWhatTheLastObservationRead) {
  const std::vector<memory::Range> pieces{{base::GuestPhysical(4096), 128}};
  store_hints(machine_, {base::GuestPhysical(4096), {}, 7, pieces});
  EXPECT_EQ(load_hints(machine_).value().pieces, pieces);
}

TEST_F(HintsOnDisk, AnswersOfKernelsAreKeptBesideThem) {
  const kernel::Recollection kept{"6.1.0", "0123abcd", {{4096, 77}}, {{"symbol x", "+10"}}};
  store_kernel(kept);
  const auto loaded = load_kernel("0123abcd");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->release, kept.release);
  EXPECT_EQ(loaded->answers, kept.answers);
  ASSERT_EQ(loaded->samples.size(), 1U);
  EXPECT_EQ(loaded->samples[0].hash, 77U);
  EXPECT_FALSE(load_kernel("ffff"));

  std::fstream damaged(file(), std::ios::in | std::ios::out);
  damaged.seekp(-6, std::ios::end);
  damaged << '9';
  damaged.close();
  EXPECT_FALSE(load_kernel("0123abcd"));
}

TEST_F(HintsOnDisk, AFolderThatCannotBeMadeCostsNothing) {
  std::ofstream(folder()) << "a file where the folder should be";
  store();
  EXPECT_FALSE(load_hints(machine_));
  setenv("XDG_CACHE_HOME", "/proc/no/such/place", 1);
  store();
  EXPECT_FALSE(load_hints(machine_));
}

TEST_F(HintsOnDisk, ABuildIdOfTheGuestsChoiceNamesNoOtherFile) {
  for (const char* id : {"../../escape", "", "ABCDEF", "a/b", "."}) {
    store_kernel({"6.1.0", id, {}, {}});
    EXPECT_FALSE(load_kernel(id)) << id;
  }
  EXPECT_FALSE(fs::exists(folder()) && !fs::is_empty(folder()));
}

}  // namespace
}  // namespace vitrine::session
