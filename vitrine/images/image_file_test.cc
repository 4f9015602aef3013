#include "vitrine/images/image_file.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using base::Code;

class ImageFileTest : public ::testing::Test {
 protected:
  ImageFileTest() { fs::create_directories(folder_); }
  ~ImageFileTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& content) const {
    std::ofstream(folder_ / "image", std::ios::binary) << content;
    return folder_ / "image";
  }
  base::Error error_of(const std::string& content) const {
    const auto image = open_image(write(content));
    return image ? base::Error{Code::timeout, "opened"} : image.error();
  }

  fs::path folder_ = fs::path(::testing::TempDir()) / ("image-file-" + std::to_string(getpid()));
};

TEST_F(ImageFileTest, TakesWholePagesForBareMemory) {
  auto image = open_image(write(std::string(8192, 'x')));
  ASSERT_TRUE(image) << to_string(image.error());
  EXPECT_EQ(image->kind, ImageKind::raw);
  EXPECT_EQ(image->size, 8192U);
  ASSERT_EQ(image->memory->ram().size(), 1U);
  EXPECT_EQ(image->memory->ram()[0], (memory::Range{base::GuestPhysical(0), 8192}));
  EXPECT_FALSE(image->one_instant);
}

TEST_F(ImageFileTest, SaysWhyAFileIsNoImage) {
  EXPECT_EQ(error_of("").code, Code::inconsistent);
  EXPECT_EQ(error_of("just a text\n").code, Code::unsupported);
  EXPECT_EQ(open_image(folder_).error().code, Code::invalid);
  EXPECT_EQ(open_image(folder_ / "none").error().code, Code::absent);
  const fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(open_image(fifo).error().code, Code::invalid);
  for (const std::string& other :
       {std::string("\x1f\x8b\x08"), std::string("\xfd") + "7zXZ", std::string("QFI\xfb"),
        std::string("AVML"), std::string("makedumpfile\0\0\0\0", 16)}) {
    const base::Error error = error_of(other + std::string(8192 - other.size(), '\0'));
    EXPECT_EQ(error.code, Code::unsupported) << error.message;
    EXPECT_FALSE(error.remedy.empty()) << error.message;
  }
}

TEST_F(ImageFileTest, RefusesACoreFileThatIsTruncated) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_CORE;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr load{};
  load.p_type = PT_LOAD;
  load.p_offset = 4096;
  load.p_filesz = load.p_memsz = 8192;
  std::string content(4096 + 8192, '\0');
  std::memcpy(content.data(), &header, sizeof header);
  std::memcpy(content.data() + sizeof header, &load, sizeof load);
  const auto whole = open_image(write(content));
  ASSERT_TRUE(whole) << to_string(whole.error());
  EXPECT_EQ(whole->kind, ImageKind::elf);
  content.pop_back();
  const base::Error error = error_of(content);
  EXPECT_EQ(error.code, Code::inconsistent);
  EXPECT_NE(error.message.find("truncated"), std::string::npos) << error.message;
  EXPECT_EQ(error_of(content.substr(0, 40)).code, Code::inconsistent);
}

TEST_F(ImageFileTest, RefusesADumpThatIsNone) {
  EXPECT_EQ(error_of("KDUMP   " + std::string(8184, '\0')).code, Code::unsupported);
}

}  // namespace
}  // namespace vitrine::images
