// What is learned of a kernel, written for other tools.
#include "vitrine/images/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>

#include "tests/synthetic/attached.h"
#include "vitrine/base/base64.h"
#include "vitrine/images/testing/content.h"
#include "vitrine/images/testing/isf_faults.h"

namespace vitrine::images {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::uint64_t kKaslr = 0x1c000000;  // of a synthetic kernel, by default

class ProfileTest : public ::testing::Test {
 protected:
  ProfileTest() {
    std::string name = (fs::temp_directory_path() / "vitrine-profile-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ProfileTest() override { fs::remove_all(folder_); }

  void boot(synthetic::KernelOptions options = {}) {
    guest_ =
        std::make_unique<synthetic::Guest>(synthetic::GuestOptions{.kernel = std::move(options)});
    kernel_.emplace(synthetic::locate_kernel(*guest_));
  }

  // With the NUL at its end, as it is in the guest's memory.
  std::string banner() const {
    std::string text;
    do text += guest_->kernel().get<char>(guest_->kernel().symbol("linux_banner") + text.size());
    while (text.back() != '\0');
    return text;
  }

  // The content of the profile.
  std::string profile(ProfileFormat format, bool relocated = false) {
    auto file = OutputFile::create(folder_ / "profile", OutputFile::Existing::replace);
    if (!file) throw std::runtime_error(to_string(file.error()));
    auto written =
        write_profile(*kernel_, guest_->memory(),
                      {.format = format, .relocated = relocated, .producer_version = "1"}, *file);
    if (!written) throw std::runtime_error(to_string(written.error()));
    if (auto published = file->publish(); !published)
      throw std::runtime_error(to_string(published.error()));
    report_ = std::move(*written);
    return testing::content_of(folder_ / "profile");
  }

  std::string line(const std::string& symbol, char kind, std::uint64_t moved) const {
    std::ostringstream text;
    text << std::hex << guest_->kernel().symbol(symbol).value - moved << ' ' << kind << ' '
         << symbol << '\n';
    return text.str();
  }

  fs::path folder_;
  std::unique_ptr<synthetic::Guest> guest_;
  std::optional<kernel::Kernel> kernel_;
  ProfileReport report_;
};

TEST_F(ProfileTest, ASystemMapHasAddressesAsTheKernelWasLinked) {
  boot();
  const std::string map = profile(ProfileFormat::system_map);
  EXPECT_THAT(map, HasSubstr(line("_stext", 'T', kKaslr)));
  EXPECT_THAT(map, HasSubstr("ffffffff81000000 T _text\n"));
  EXPECT_EQ(report_.kernel_offset, kKaslr);
  EXPECT_EQ(report_.symbols, kernel_->symbols.count());
  EXPECT_EQ(std::ranges::count(map, '\n'), static_cast<std::ptrdiff_t>(report_.symbols));
  EXPECT_EQ(report_.bytes, map.size());
  EXPECT_THAT(report_.missing, IsEmpty());
}

TEST_F(ProfileTest, ASystemMapIsSortedByAddress) {
  boot();
  std::istringstream lines(profile(ProfileFormat::system_map));
  std::string before;
  for (std::string now; std::getline(lines, now); before = now)
    EXPECT_LE(before.substr(0, 16), now.substr(0, 16));
}

TEST_F(ProfileTest, ASystemMapCanHaveRunningAddresses) {
  boot();
  EXPECT_THAT(profile(ProfileFormat::system_map, true), HasSubstr(line("_stext", 'T', 0)));
}

// Per-CPU offsets are no addresses in the image.
TEST_F(ProfileTest, WhatKaslrDoesNotMoveStays) {
  boot();
  const std::string as_linked = profile(ProfileFormat::system_map);
  const std::string running = profile(ProfileFormat::system_map, true);
  for (const std::string& map : {as_linked, running})
    EXPECT_THAT(map, StartsWith("0000000000000000 ")) << "no symbol of the lower half";
}

TEST_F(ProfileTest, IsfHasTheBannerThatTheGuestHas) {
  boot();
  const base::Json isf = base::parse_json(profile(ProfileFormat::isf));
  ASSERT_FALSE(isf.is_discarded());
  EXPECT_THAT(testing::IsfFaults::of(isf), IsEmpty());
  const std::string kept = isf.at("symbols").at("linux_banner").at("constant_data");
  EXPECT_EQ(base::decode_base64(kept), banner());
  EXPECT_THAT(banner(), StartsWith("Linux version 6.1"));
  EXPECT_EQ(isf.at("symbols").at("_text").at("address"), 0xffffffff81000000);
  EXPECT_EQ(report_.user_types, isf.at("user_types").size());
  EXPECT_THAT(report_.missing, IsEmpty());
}

TEST_F(ProfileTest, IsfOfAnotherBannerSaysThatItWillNotBeRecognised) {
  boot();
  guest_->kernel().write(guest_->kernel().symbol("linux_banner"), "Linux version 2.4\n");
  const base::Json isf = base::parse_json(profile(ProfileFormat::isf));
  EXPECT_FALSE(isf.at("symbols").at("linux_banner").contains("constant_data"));
  EXPECT_THAT(report_.missing, ElementsAre(HasSubstr("will not recognise")));
}

TEST_F(ProfileTest, AKernelThatListsFunctionsOnlyIsTold) {
  boot({.kallsyms_all = false});
  profile(ProfileFormat::system_map);
  EXPECT_THAT(report_.missing, ElementsAre(HasSubstr("functions only")));
  const base::Json isf = base::parse_json(profile(ProfileFormat::isf));
  EXPECT_THAT(testing::IsfFaults::of(isf), IsEmpty());
  EXPECT_EQ(isf.at("symbols").at("init_task").at("address"),
            guest_->kernel().symbol("init_task").value - kKaslr)
      << "known from what the kernel exports";
}

TEST_F(ProfileTest, AnUnknownOffsetIsTold) {
  boot({.vmcoreinfo_overrides = {{"KERNELOFFSET", std::nullopt}}});
  EXPECT_THAT(profile(ProfileFormat::system_map), HasSubstr(line("_stext", 'T', 0)));
  EXPECT_THAT(report_.missing, ElementsAre(HasSubstr("KASLR")));
}

TEST(ProfileFormat, IsToldByTheName) {
  EXPECT_EQ(format_of_name("guest.json"), ProfileFormat::isf);
  EXPECT_EQ(format_of_name("guest.map"), ProfileFormat::system_map);
  EXPECT_EQ(format_of_name("System.map-6.1.0-50-cloud-amd64"), ProfileFormat::system_map);
  EXPECT_EQ(format_of_name("guest.json.xz"), std::nullopt);
}

}  // namespace
}  // namespace vitrine::images
