#include "vitrine/techniques/kcore_memory.h"

#include <elf.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cstring>

#include "vitrine/base/base64.h"
#include "vitrine/vmm/testing/fake_agent.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using base::GuestPhysical;
using base::Json;
using memory::ReadStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vmm::testing::FakeAgent;

using base::kPage;
constexpr std::uint64_t kStart = 16 * kPage;  // of RAM, and of its part of the file
constexpr std::uint64_t kPages = 128;

// A guest with some RAM, of which the kernel offers all but the first page; each 8 bytes hold their
// own address.
class FakeKernel {
 public:
  FakeKernel()
      : agent_(FakeAgent::synchronizing([this](const Json& request, const FakeAgent::Send& send) {
          if (hangs) return true;
          send(answer(request["execute"], request.value("arguments", Json::object())));
          return true;
        })) {
    file_.resize(kStart + kPages * kPage);
    for (std::uint64_t at = kStart; at < file_.size(); at += 8)
      std::memcpy(file_.data() + at, &at, sizeof at);
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_CORE;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    const std::uint64_t size = (kPages - 1) * kPage;
    const Elf64_Phdr segment{PT_LOAD, PF_R, kStart + kPage, 0, kStart + kPage, size, size, kPage};
    std::memcpy(file_.data(), &header, sizeof header);
    std::memcpy(file_.data() + sizeof header, &segment, sizeof segment);
  }

  // `patience`: with an answer of the agent.
  base::Result<std::unique_ptr<KcoreFile>> open(
      std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    auto agent =
        vmm::GuestAgent::adopt(agent_.client(), {patience, patience, std::size_t{1} << 20});
    if (!agent) return base::fail(agent.error());
    return KcoreFile::open(std::move(*agent));
  }
  static vmm::RamLayout layout() {
    vmm::RamLayout layout;
    vmm::RamRegion region;
    region.start = GuestPhysical(kStart);
    region.size = kPages * kPage;
    layout.regions.push_back(region);
    return layout;
  }
  // Where VMCOREINFO is said to be; its name is put at `real`.
  void keep_note(std::uint64_t told, std::uint64_t real) {
    note_ = "0x" + std::string(16 - 5, '0') + base::to_hex(told).substr(2) + " 1024\n";
    std::memcpy(file_.data() + real + 12, "VMCOREINFO", 10);
  }

  std::string refusal;                 // of opening /proc/kcore
  std::vector<std::string> forbidden;  // commands
  std::atomic<bool> hangs = false;
  std::atomic<bool> loses_seeks = false;
  std::atomic<int> reads = 0;
  std::atomic<int> open_files = 0;

 private:
  std::string answer(const std::string& command, const Json& arguments) {
    if (command == "guest-info") return info();
    if (command == "guest-file-open") return open_file(arguments["path"]);
    if (command == "guest-file-close") {
      --open_files;
      return FakeAgent::returned(Json::object());
    }
    if (command == "guest-file-seek") {
      if (!loses_seeks) position_ = arguments["offset"];
      return FakeAgent::returned({{"position", position_}, {"eof", false}});
    }
    ++reads;
    const std::string& file = arguments["handle"] == 1 ? file_ : note_;
    const std::size_t at = arguments["handle"] == 1 ? position_ : 0;
    const std::string bytes =
        at < file.size() ? file.substr(at, arguments["count"].get<std::size_t>()) : "";
    position_ = at + bytes.size();
    return FakeAgent::returned(
        {{"count", bytes.size()}, {"buf-b64", base::encode_base64(bytes)}, {"eof", false}});
  }
  std::string open_file(const std::string& path) {
    if (path == "/proc/kcore" && !refusal.empty()) return FakeAgent::refused(refusal);
    if (path != "/proc/kcore" && note_.empty())
      return FakeAgent::refused("failed to open file: No such file or directory");
    ++open_files;
    return FakeAgent::returned(path == "/proc/kcore" ? 1 : 2);
  }
  std::string info() const {
    Json list = Json::array();
    for (const char* name :
         {"guest-file-open", "guest-file-seek", "guest-file-read", "guest-file-close"}) {
      const bool enabled = std::find(forbidden.begin(), forbidden.end(), name) == forbidden.end();
      list.push_back({{"name", name}, {"enabled", enabled}});
    }
    return FakeAgent::returned({{"supported_commands", list}});
  }

  std::string file_;
  std::string note_;
  std::size_t position_ = 0;
  FakeAgent agent_;
};

std::uint64_t value_at(KcoreMemory& memory, std::uint64_t at) {
  std::array<std::byte, 8> bytes{};
  if (memory.PhysicalMemory::read(GuestPhysical(at), bytes) != ReadStatus::ok) return 0;
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

TEST(KcoreMemory, ReadsEachAddressFromItsPlaceInTheFile) {
  FakeKernel kernel;
  KcoreMemory memory(FakeKernel::layout(), std::move(*kernel.open()));
  for (const std::uint64_t at : {kStart + kPage, kStart + 5 * kPage + 8, kStart + 128 * kPage - 8})
    EXPECT_EQ(value_at(memory, at), at);
  std::vector<std::byte> large((kPages - 1) * kPage);
  ASSERT_EQ(memory.PhysicalMemory::read(GuestPhysical(kStart + kPage), large), ReadStatus::ok);
  std::uint64_t last = 0;
  std::memcpy(&last, large.data() + large.size() - 8, sizeof last);
  EXPECT_EQ(last, kStart + kPages * kPage - 8) << "more than one piece";
}

TEST(KcoreMemory, NeighboursAreReadAtOnce) {
  FakeKernel kernel;
  KcoreMemory memory(FakeKernel::layout(), std::move(*kernel.open()));
  const int before = kernel.reads;
  std::vector<std::array<std::byte, 8>> bytes(4);
  std::vector<memory::ReadRequest> requests;
  // Out of order, two of them in one page, one beyond a gap of a page, one far away.
  for (const std::uint64_t page : {100u, 10u, 10u, 12u})
    requests.push_back(
        {GuestPhysical(kStart + page * kPage + 8 * requests.size()), bytes[requests.size()]});
  memory.read(requests);
  EXPECT_EQ(kernel.reads - before, 2);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].status, ReadStatus::ok);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes[i].data(), sizeof value);
    EXPECT_EQ(value, requests[i].address.value);
  }
}

TEST(KcoreMemory, WhatTheKernelDoesNotOfferFailsAndWhatIsNoRamIsNotAskedFor) {
  FakeKernel kernel;
  KcoreMemory memory(FakeKernel::layout(), std::move(*kernel.open()));
  std::array<std::byte, 8> bytes{};
  EXPECT_EQ(memory.PhysicalMemory::read(GuestPhysical(kStart), bytes), ReadStatus::failed);
  EXPECT_EQ(memory.PhysicalMemory::read(GuestPhysical(0), bytes), ReadStatus::outside_ram);
  EXPECT_EQ(memory.PhysicalMemory::read(GuestPhysical(kStart + kPages * kPage), bytes),
            ReadStatus::outside_ram);
  EXPECT_THAT(memory.populated({GuestPhysical(0), 1 << 30}),
              ElementsAre(memory::Range{GuestPhysical(kStart + kPage), (kPages - 1) * kPage}));
  EXPECT_TRUE(memory.health());
}

TEST(KcoreMemory, AReadAfterASeekThatWasLostIsNotBelieved) {
  FakeKernel kernel;
  KcoreMemory memory(FakeKernel::layout(), std::move(*kernel.open()));
  kernel.loses_seeks = true;
  EXPECT_EQ(value_at(memory, kStart + 9 * kPage), 0u);
}

TEST(KcoreMemory, AnAgentThatHangsIsWaitedForOnceAndRecovers) {
  FakeKernel kernel;
  KcoreMemory memory(FakeKernel::layout(), std::move(*kernel.open(std::chrono::milliseconds(500))));
  kernel.hangs = true;
  EXPECT_EQ(value_at(memory, kStart + 9 * kPage), 0u);
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(value_at(memory, kStart + 9 * kPage), 0u);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(400));
  EXPECT_EQ(memory.health().error().code, Code::timeout);
  kernel.hangs = false;
  memory.recover();
  EXPECT_TRUE(memory.health());
  EXPECT_EQ(value_at(memory, kStart + 9 * kPage), kStart + 9 * kPage);
}

TEST(KcoreFile, IsClosedInTheGuest) {
  FakeKernel kernel;
  auto file = kernel.open();
  ASSERT_TRUE(file);
  EXPECT_EQ(kernel.open_files, 1);
  file->reset();
  EXPECT_EQ(kernel.open_files, 0);
}

TEST(KcoreFile, TheNoteConfirmsWhereMemoryIs) {
  FakeKernel told;
  told.keep_note(kStart + 3 * kPage, kStart + 3 * kPage);
  EXPECT_TRUE(told.open());
  FakeKernel elsewhere;
  elsewhere.keep_note(kStart + 3 * kPage, kStart + 4 * kPage);
  EXPECT_EQ(elsewhere.open().error().code, Code::inconsistent);
  EXPECT_EQ(elsewhere.open_files, 0);
}

TEST(KcoreFile, SaysWhatIsMissingInTheGuest) {
  FakeKernel forbidden;
  forbidden.forbidden = {"guest-file-read", "guest-file-seek"};
  EXPECT_THAT(forbidden.open().error().message, HasSubstr("guest-file-seek, guest-file-read"));
  FakeKernel without;
  without.refusal = "failed to open file '/proc/kcore' (mode: 'r'): No such file or directory";
  const auto error = without.open().error();
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.remedy, HasSubstr("CONFIG_PROC_KCORE"));
  FakeKernel unprivileged;
  unprivileged.refusal = "failed to open file '/proc/kcore' (mode: 'r'): Permission denied";
  EXPECT_EQ(unprivileged.open().error().code, Code::denied);
}

}  // namespace
}  // namespace vitrine::techniques
