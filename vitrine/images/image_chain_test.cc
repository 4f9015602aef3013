#include "vitrine/images/image_chain.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/synthetic/attached.h"
#include "vitrine/images/content_changes.h"
#include "vitrine/images/snapshot.h"
#include "vitrine/images/testing/content.h"

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using base::GuestPhysical;
using synthetic::megabyte;
using ::testing::HasSubstr;

constexpr std::uint64_t kUnused = 16 * megabyte;  // what the synthetic guest does not use itself

// A guest, and images of it in a folder of their own, each building on the one before.
class ImageChainTest : public ::testing::Test {
 protected:
  ImageChainTest()
      : guest_({.ram = {{GuestPhysical(0), 64 * megabyte},
                        {GuestPhysical(256 * megabyte), 2 * megabyte}}}) {
    guest_.add_process({.pid = 1, .comm = "init"});
    kernel_.emplace(synthetic::locate_kernel(guest_));
    std::string name = (fs::temp_directory_path() / "vitrine-chain-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ImageChainTest() override { fs::remove_all(folder_); }

  void put(std::uint64_t page, std::uint8_t value) {
    guest_.memory().write(GuestPhysical(page),
                          std::vector<std::byte>(kPageBytes, std::byte{value}));
  }

  OutputFile create(const std::string& name) {
    return std::move(*OutputFile::create(folder_ / name, OutputFile::Existing::replace));
  }
  SnapshotReport publish(OutputFile file, base::Result<SnapshotReport> report) {
    if (!report) throw std::runtime_error(to_string(report.error()));
    if (auto done = file.publish(); !done) throw std::runtime_error(to_string(done.error()));
    return std::move(*report);
  }
  SnapshotReport whole(const std::string& name, Format format = Format::elf) {
    OutputFile file = create(name);
    auto report =
        write_snapshot(*kernel_, guest_.memory(),
                       {.format = format, .omissions = {}, .processors = processors_}, file);
    return publish(std::move(file), std::move(report));
  }
  // The next image of the chain.
  SnapshotReport next() {
    const std::string name = "image" + std::to_string(links_.size());
    if (links_.empty()) {
      auto report = whole(name);
      links_.push_back({folder_ / name, report.sha256});
      return report;
    }
    auto earlier = ImageChain::open(links_);
    if (!earlier) throw std::runtime_error(to_string(earlier.error()));
    ContentChanges changes(**earlier, guest_.memory());
    OutputFile file = create(name);
    auto written = write_snapshot(*kernel_, guest_.memory(),
                                  {.format = Format::elf,
                                   .omissions = {},
                                   .processors = processors_,
                                   .since = Since{links_.back().sha256, &changes}},
                                  file);
    auto report = publish(std::move(file), std::move(written));
    links_.push_back({folder_ / name, report.sha256});
    return report;
  }
  std::string merged(Format format = Format::elf) {
    auto chain = ImageChain::open(links_);
    if (!chain) throw std::runtime_error(to_string(chain.error()));
    OutputFile file = create("merged");
    auto written = write_image((*chain)->description(), **chain,
                               {.format = format, .omissions = {}, .processors = {}}, file);
    publish(std::move(file), std::move(written));
    return bytes("merged");
  }
  std::string bytes(const std::string& name) const { return testing::content_of(folder_ / name); }
  std::string error_of_opening() const {
    const auto chain = ImageChain::open(links_);
    return chain ? "" : to_string(chain.error());
  }

  synthetic::Guest guest_;
  std::optional<kernel::Kernel> kernel_;
  std::vector<memory::X86GeneralRegisters> processors_{{.rax = 1, .cs = 0x10}, {.rax = 2}};
  fs::path folder_;
  std::vector<ChainLink> links_;
};

TEST_F(ImageChainTest, AMergedImageEqualsAWholeOneByteForByte) {
  put(kUnused, 1);
  put(kUnused + kPageBytes, 2);
  put(kUnused + 5 * kPageBytes, 3);
  next();
  put(kUnused, 4);
  put(kUnused + 2 * kPageBytes, 5);
  put(256 * megabyte, 6);
  EXPECT_EQ(next().pages.written, 3U);
  put(kUnused + 2 * kPageBytes, 0);  // filled with zeros
  guest_.memory().punch_hole({GuestPhysical(kUnused + 5 * kPageBytes), kPageBytes});  // given back
  put(256 * megabyte + kPageBytes, 7);
  processors_[0].rax = 3;
  const SnapshotReport last = next();
  EXPECT_EQ(last.pages.written, 2U);
  EXPECT_EQ(last.pages.not_populated, 1U);
  EXPECT_EQ(last.pages.unchanged, last.pages.total - 3);
  whole("whole");
  const std::string expected = bytes("whole");
  // Not EXPECT_EQ, which would print 66 MiB.
  EXPECT_TRUE(merged() == expected) << "the merged image differs";
}

TEST_F(ImageChainTest, AnIncrementalImageTakesLittleRoom) {
  const SnapshotReport first = next();
  put(kUnused, 1);
  EXPECT_LT(next().allocated_bytes, first.allocated_bytes / 4);
}

TEST_F(ImageChainTest, MergesIntoOtherFormats) {
  put(kUnused, 1);
  next();
  put(kUnused, 2);
  next();
  whole("whole", Format::raw);
  EXPECT_TRUE(merged(Format::raw) == bytes("whole")) << "the merged image differs";
  EXPECT_EQ(merged(Format::kdump).substr(0, 8), "KDUMP   ");
}

TEST_F(ImageChainTest, IsReadAsTheGuestIs) {
  put(kUnused, 1);
  next();
  put(kUnused + kPageBytes, 2);
  next();
  auto chain = ImageChain::open(links_);
  ASSERT_TRUE(chain);
  std::vector<std::byte> bytes(2 * kPageBytes);
  ASSERT_EQ((*chain)->PhysicalMemory::read(GuestPhysical(kUnused), bytes), memory::ReadStatus::ok);
  EXPECT_EQ(bytes.front(), std::byte{1});
  EXPECT_EQ(bytes.back(), std::byte{2});
  EXPECT_EQ((*chain)->PhysicalMemory::read(GuestPhysical(64 * megabyte - 8), bytes),
            memory::ReadStatus::outside_ram);
  const auto around = (*chain)->populated({GuestPhysical(kUnused + 100), 2 * kPageBytes});
  ASSERT_EQ(around.size(), 1U);
  EXPECT_EQ(around.front(), (memory::Range{GuestPhysical(kUnused), 2 * kPageBytes}));
  const auto description = (*chain)->description();
  EXPECT_EQ(description.processors, processors_);
  EXPECT_EQ(description.vmcoreinfo, kernel_->vmcoreinfo.text());
}

TEST_F(ImageChainTest, RefusesImagesThatDoNotBuildOnEachOther) {
  next();
  put(kUnused, 1);
  next();
  put(kUnused, 2);
  next();
  const std::vector<ChainLink> all = links_;
  links_ = {all[0], all[2]};
  EXPECT_THAT(error_of_opening(), HasSubstr(all[1].sha256));
  links_ = {all[1], all[2]};
  EXPECT_THAT(error_of_opening(), HasSubstr("incremental"));
  links_ = {all[0], all[0]};
  EXPECT_THAT(error_of_opening(), HasSubstr("builds on none"));
  links_ = {};
  EXPECT_THAT(error_of_opening(), HasSubstr("no image"));
}

TEST_F(ImageChainTest, FindsThatAnImageWasChanged) {
  next();
  put(kUnused, 1);
  next();
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  const auto progress = [&](std::uint64_t now, std::uint64_t of) { last = now, total = of; };
  ASSERT_TRUE((*ImageChain::open(links_))->verify(progress));
  EXPECT_EQ(last, total);
  {
    std::fstream file(links_[0].file, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(20 * megabyte);
    file.put('x');
  }
  const auto verified = (*ImageChain::open(links_))->verify(progress);
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().message, HasSubstr("image0"));
}

TEST_F(ImageChainTest, OtherProgramsDoNotTakeAnIncrementalImageForAWholeOne) {
  next();
  next();
  const base::FileDescriptor file(open(links_[1].file.c_str(), O_RDONLY | O_CLOEXEC));
  const auto core = memory::read_elf_core(file.get());
  ASSERT_FALSE(core);
  EXPECT_THAT(core.error().remedy, HasSubstr("--merge"));
}

TEST_F(ImageChainTest, OnlyAnElfImageCanBeIncremental) {
  next();
  auto chain = ImageChain::open(links_);
  ContentChanges changes(**chain, guest_.memory());
  OutputFile file = create("other");
  const auto written = write_snapshot(*kernel_, guest_.memory(),
                                      {.format = Format::kdump,
                                       .omissions = {},
                                       .processors = {},
                                       .since = Since{links_[0].sha256, &changes}},
                                      file);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, base::Code::unsupported);
}

}  // namespace
}  // namespace vitrine::images
