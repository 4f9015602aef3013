#include "vitrine/views/content.h"

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
using synthetic::Observer;
using synthetic::ReaderKind;

using base::kPage;

class ContentTest : public ::testing::TestWithParam<ReaderKind> {
 protected:
  ContentTest() {
    guest_.add_process({.pid = 1, .comm = "init"});
    files_.attach(1);
    disk_ = files_.file_system("ext4", 8 << 20 | 1);
    memory_ = files_.file_system("tmpfs", 3);
    file_ = files_.entry(disk_, files_.root_entry(), "file");
    volatile_ = files_.entry(memory_, files_.root_entry(), "volatile");
  }
  static GuestOptions options() {
    GuestOptions options;
    options.mapped = true;
    options.kernel.shuffle_seed = 7;
    return options;
  }
  synthetic::Kernel& kernel() { return guest_.kernel(); }
  GuestVirtual inode(GuestVirtual entry) const { return files_.inode_of(entry); }
  void set_size(GuestVirtual entry, std::uint64_t bytes) {
    kernel().set(inode(entry), "inode", "i_size", bytes);
  }

  // The ranges as "OFFSET+BYTES STATE" words; text_ is the content with zeros for the rest.
  std::string read(const std::string& path, std::optional<unsigned> descriptor = {}) {
    if (!located_) {
      located_.emplace(locate_kernel(guest_));
      observer_.emplace(*located_, guest_.memory(), GetParam());
    }
    text_.clear();
    auto view =
        Content::attach(*located_, guest_.memory(),
                        {.path = path,
                         .descriptor = descriptor,
                         .sink = [this](std::uint64_t offset, std::span<const std::byte> bytes) {
                           EXPECT_GE(offset, text_.size());
                           if (offset < 1U << 24) text_.resize(offset);
                           text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                           return base::Result<void>();
                         }});
    if (!view) throw std::runtime_error(to_string(view.error()));
    const auto& content = static_cast<const Content&>(**view);
    outcome_ = observer_->collect(**view);
    failure_ = content.failure();
    std::string ranges;
    for (const ContentRange& range : content.ranges())
      ranges += (ranges.empty() ? "" : ", ") + std::to_string(range.offset) + "+" +
                std::to_string(range.bytes) + " " + std::string(name(range.presence));
    return ranges;
  }

  Guest guest_{options()};
  synthetic::Files files_{guest_.kernel(), guest_.processes()};
  synthetic::PageCache cache_{guest_.kernel()};
  GuestVirtual disk_, memory_, file_, volatile_;
  std::string text_;
  std::optional<kernel::Kernel> located_;
  std::optional<Observer> observer_;
  Outcome outcome_;
  std::optional<base::Error> failure_;
};
INSTANTIATE_TEST_SUITE_P(Readers, ContentTest, ::testing::ValuesIn(synthetic::every_reader));

TEST_P(ContentTest, IsThatOfItsPagesUpToItsEnd) {
  cache_.add(inode(file_), 0, std::string(kPage, 'a'));
  cache_.add(inode(file_), 1, std::string(kPage, 'b'));
  set_size(file_, kPage + 5);
  EXPECT_EQ(read("/file"), "0+4101 cached");
  EXPECT_EQ(text_, std::string(kPage, 'a') + "bbbbb");
  EXPECT_TRUE(outcome_.complete);
  EXPECT_FALSE(failure_);
}

TEST_P(ContentTest, TellsWhatIsNotCached) {
  cache_.add(inode(file_), 1, "one");
  cache_.add(inode(file_), 700, "far");
  cache_.store(inode(file_), 2, 0x1234567);  // evicted: a number
  set_size(file_, 701 * kPage);
  EXPECT_EQ(read("/file"),
            "0+4096 missing, 4096+4096 cached, 8192+2859008 missing, 2867200+4096 cached");
  EXPECT_EQ(text_.size(), 701 * kPage);
  EXPECT_EQ(text_.substr(700 * kPage, 3), "far");
}

TEST_P(ContentTest, IsZeroWhereMemoryIsTheOnlyPlaceOfAFile) {
  cache_.add(inode(volatile_), 1, "one");
  cache_.store(inode(volatile_), 3, 0x1234567);
  set_size(volatile_, 5 * kPage);
  EXPECT_EQ(read("/volatile"),
            "0+4096 hole, 4096+4096 cached, 8192+4096 hole, 12288+4096 swapped, 16384+4096 hole");
  set_size(volatile_, 0);
  EXPECT_EQ(read("/volatile"), "");
  EXPECT_FALSE(failure_);
}

TEST_P(ContentTest, MayBeInLargeFolios) {
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes += std::string(kPage, static_cast<char>('a' + i));
  cache_.add(inode(file_), 16, bytes, 4);
  cache_.add(inode(file_), 64, std::string(64 * kPage, 'z'), 6);
  cache_.add(inode(file_), 32, "x", 1);
  set_size(file_, 128 * kPage);
  EXPECT_EQ(read("/file"),
            "0+65536 missing, 65536+73728 cached, 139264+122880 missing, 262144+262144 cached");
  EXPECT_EQ(text_.substr(16 * kPage, 16 * kPage), bytes);
  EXPECT_EQ(text_.substr(127 * kPage), std::string(kPage, 'z'));
}

TEST_P(ContentTest, IsNotBelievedOfPagesOfOthers) {
  const GuestVirtual others = cache_.add(inode(volatile_), 0, "of another");
  cache_.store(inode(file_), 0, others.value);
  cache_.store(inode(file_), 1, cache_.add(inode(file_), 5, "elsewhere").value);
  cache_.store(inode(file_), 2, others.value + 8);
  cache_.store(inode(file_), 3, 0xdead000000000100);
  set_size(file_, 6 * kPage);
  EXPECT_EQ(read("/file"), "0+16384 damaged, 16384+4096 missing, 20480+4096 cached");
  const GuestVirtual stale = cache_.add(inode(file_), 5, "being read");
  cache_.frames().set(
      (stale.value - kernel().vmemmap_base()) / kernel().types().size("struct page"), "flags", 0);
  EXPECT_EQ(read("/file"), "0+16384 damaged, 16384+8192 missing");
}

TEST_P(ContentTest, IsReadByDescriptorThoughItsNameIsGone) {
  cache_.add(inode(file_), 0, "content");
  set_size(file_, 7);
  files_.open(1, files_.root_mount(), file_);
  kernel().set(file_, "dentry", "d_hash.pprev", 0);
  EXPECT_EQ(read("/file"), "");
  EXPECT_EQ(failure_->code, base::Code::absent);
  EXPECT_EQ(read("", 0), "0+7 cached");
  EXPECT_EQ(text_, "content");
  read("", 1);
  EXPECT_EQ(failure_->code, base::Code::absent);
  read("", 4'000'000'000);
  EXPECT_EQ(failure_->code, base::Code::absent);
}

TEST_P(ContentTest, IsNoneOfADirectory) {
  read("/");
  EXPECT_EQ(failure_->code, base::Code::unsupported);
}

// Forged sizes and trees: nodes within themselves, everywhere the same one, pages without end.
TEST_P(ContentTest, EndsWhateverItsTreeIs) {
  cache_.add(inode(file_), 0, "x");
  cache_.add(inode(file_), 70, "y");
  std::uint64_t slot = 0;
  const GuestVirtual low = cache_.node_of(inode(file_), 0, slot);
  const GuestVirtual slots = kernel().member(low, "xa_node", "slots");
  set_size(file_, ~std::uint64_t{0} >> 1);
  for (std::uint64_t i = 0; i < 64; ++i) kernel().put(slots + i * 8, low.value | 2);
  EXPECT_EQ(read("/file"),
            "0+286720 missing, 286720+4096 cached, 290816+9223372036854484991 missing")
      << "but for the damaged node";
  EXPECT_FALSE(outcome_.complete);
  kernel().set(low, "xa_node", "shift", 60);
  read("/file");
  EXPECT_FALSE(outcome_.complete);
  set_size(file_, ~std::uint64_t{0});
  EXPECT_EQ(read("/file"), "") << "a negative size";
}

TEST_P(ContentTest, EndsWhateverItHolds) {
  files_.open(1, files_.root_mount(), file_);
  const GuestVirtual first = cache_.add(inode(file_), 0, "x");
  cache_.add(inode(file_), 70, "y", 1);
  set_size(file_, 100 * kPage);
  std::uint64_t slot = 0;
  std::mt19937_64 random = synthetic::random_of_test();
  const std::vector<GuestVirtual> objects{inode(file_), cache_.node_of(inode(file_), 0, slot),
                                          cache_.node_of(inode(file_), 70, slot), file_};
  for (int round = 0; round < 80; ++round) {
    const GuestVirtual at = objects[random() % objects.size()] + random() % 72 * 8;
    const auto before = kernel().get<std::uint64_t>(at);
    const std::array<std::uint64_t, 4> values{random(),
                                              objects[random() % objects.size()].value | 2,
                                              first.value, random() % 256 << 2 | 2};
    kernel().put(at, values.at(random() % values.size()));
    read("", 0);
    read("/file");
    kernel().put(at, before);
  }
  EXPECT_EQ(read("/file"),
            "0+4096 cached, 4096+282624 missing, 286720+8192 cached, "
            "294912+114688 missing");
}

}  // namespace
}  // namespace vitrine::views
