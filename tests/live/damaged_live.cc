// Real guests whose kernel cannot be explained, because what explains it is gone or sealed: a clear
// message with its cause and the right code, and nothing on stdout.
#include "tests/live/guest_ram.h"
#include "tests/live/guest_test.h"
#include "vitrine/base/base64.h"

namespace vitrine::live {
namespace {

using testing::HasSubstr;

GuestOptions on_memfd() {
  return {.name = "damaged",
          .memory = "256M",
          .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=256M", "-machine",
                        "memory-backend=ram"}};
}

// The error that `vitrine ps --no-cache` gives, having taken at most 30 s.
nlohmann::json refusal(const std::string& vm) {
  const Finished refused = vitrine({"ps", vm, "--no-cache", "--json"}, std::chrono::seconds(30));
  EXPECT_EQ(refused.status, 1) << refused.output;
  EXPECT_EQ(refused.output, "");
  return nlohmann::json::parse(refused.errors).at("error");
}

class Damaged : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernel_available("6.1")) GTEST_SKIP() << "SKIPPED: guest kernel 6.1";
  }
};

TEST_F(Damaged, AKernelWhoseTypesAreGoneIsInconsistent) {
  Guest guest(on_memfd());
  const auto header =
      base::decode_base64(guest.run("head -c 24 /sys/kernel/btf/vmlinux | base64 -w 0"));
  ASSERT_TRUE(header.has_value());
  ASSERT_EQ(vitrine({"ps", guest.name(), "--no-cache"}).status, 0);
  ASSERT_GT(GuestRam(guest).blot_out(*header), 0);
  const auto error = refusal(guest.name());
  EXPECT_EQ(error.at("code"), "inconsistent") << error;
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("BTF"));
  EXPECT_FALSE(error.at("remedy").is_null()) << error;
}

TEST_F(Damaged, AKernelWithoutItsNoteIsAbsent) {
  Guest guest(on_memfd());
  ASSERT_EQ(vitrine({"ps", guest.name(), "--no-cache"}).status, 0);
  ASSERT_GT(GuestRam(guest).blot_out(std::string_view("VMCOREINFO\0", 11)), 0);
  const auto error = refusal(guest.name());
  EXPECT_EQ(error.at("code"), "absent") << error;
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("VMCOREINFO"));
  EXPECT_FALSE(error.at("remedy").is_null()) << error;
}

// No machine here encrypts memory: a process that looks like the VMM of such a guest.
TEST(Sealed, EncryptedMemoryIsUnsupported) {
  const TemporaryFolder folder;
  const auto program = folder.path() / "qemu-system-x86_64";
  std::filesystem::copy_file(std::filesystem::canonical("/bin/sh"), program);
  Subprocess sealed(
      {program.string(), "-c", "kill -STOP $$", "-name", "guest=sealed", "-accel", "kvm", "-m",
       "1G", "-object", "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1", "-machine",
       "q35,confidential-guest-support=sev0"},
      folder.path() / "out", folder.path() / "err");
  for (int i = 0; i < 100 && vitrine({"ls"}).output.find("sealed") == std::string::npos; ++i) {
  }
  const auto error = refusal("sealed");
  EXPECT_EQ(error.at("code"), "unsupported") << error;
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("sev-snp-guest"));
  EXPECT_THAT(error.at("message").get<std::string>(), HasSubstr("encrypted"));
  EXPECT_FALSE(error.at("remedy").is_null()) << error;
}

}  // namespace
}  // namespace vitrine::live
