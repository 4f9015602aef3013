#include "vitrine/images/evidence.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/synthetic/attached.h"
#include "vitrine/images/image_file.h"
#include "vitrine/images/testing/content.h"

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using base::GuestPhysical;

class EvidenceTest : public ::testing::Test {
 protected:
  EvidenceTest() {
    guest_.add_process({.pid = 1, .comm = "init", .arguments = {"init"}});
    guest_.add_process({.pid = 2, .comm = "sh\x80ll", .arguments = {"sh", "-c"}});
    fs::create_directories(folder_);
  }
  ~EvidenceTest() override { fs::remove_all(folder_); }

  fs::path path() const { return folder_ / "evidence"; }

  // Records what listing the processes reads; returns the rows.
  std::vector<synthetic::NamedRow> record() {
    const kernel::Kernel kernel = synthetic::locate_kernel(guest_);
    kernel.answers->keep_all();
    memory::RecordingMemory recording(guest_.memory());
    auto view = views::Processes::attach(kernel, recording, {.command_lines = true});
    EXPECT_TRUE(view);
    auto rows = collect(kernel, recording, **view);
    Evidence evidence = make_evidence(kernel, recording);
    evidence.about = {{"view", "processes"}, {"vm_name", "\xff name"}, {"atomic", "proved"}};
    auto file = OutputFile::create(path(), OutputFile::Existing::replace);
    EXPECT_TRUE(file);
    EXPECT_TRUE(write_evidence(evidence, *file));
    EXPECT_TRUE(file->publish());
    return rows;
  }

  static std::vector<synthetic::NamedRow> collect(const kernel::Kernel& kernel,
                                                  memory::PhysicalMemory& memory,
                                                  views::View& view) {
    memory::Reader gather(memory);
    paging::VirtualReader reader(kernel.space, gather);
    reader.begin();
    view.collect(reader);
    return synthetic::rows_of(view);
  }

  synthetic::Guest guest_;
  fs::path folder_ = fs::path(::testing::TempDir()) / ("evidence-" + std::to_string(getpid()));
};

TEST_F(EvidenceTest, AnswersTheViewAgainWithoutTheGuest) {
  const auto rows = record();
  ASSERT_EQ(rows.size(), 2U);
  auto image = open_image(path());
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(image->kind, ImageKind::evidence);
  EXPECT_EQ(image->vm_name, "\xff name");
  EXPECT_TRUE(image->one_instant);
  const auto kernel = kernel_of(*image->evidence, *image->memory);
  ASSERT_TRUE(kernel) << to_string(kernel.error());
  auto view = views::Processes::attach(*kernel, *image->memory, {.command_lines = true});
  ASSERT_TRUE(view) << to_string(view.error());
  EXPECT_EQ(collect(*kernel, *image->memory, **view), rows);
  // A byte that was not recorded is absent, and so is a type that nobody asked for.
  std::byte byte{};
  const GuestPhysical last = image->memory->ram().back().end() - 1;
  EXPECT_EQ(image->memory->read(last, std::span(&byte, 1)), memory::ReadStatus::not_populated);
  EXPECT_FALSE(kernel->types.member("task_struct", "nobody_asked"));
}

TEST_F(EvidenceTest, IsRefusedWhereAnyBitOfItChanged) {
  record();
  const std::string whole = testing::content_of(path());
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 97) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    std::ofstream(path(), std::ios::binary) << changed;
    const auto image = open_image(path());
    if (at < kEvidenceMagic.size()) continue;  // Without its magic it is taken for bare memory.
    EXPECT_FALSE(image) << "byte " << at;
  }
  for (const std::size_t size : {std::size_t{20}, std::size_t{72}, whole.size() - 1}) {
    std::ofstream(path(), std::ios::binary) << whole.substr(0, size);
    EXPECT_FALSE(open_image(path())) << size;
  }
}

}  // namespace
}  // namespace vitrine::images
