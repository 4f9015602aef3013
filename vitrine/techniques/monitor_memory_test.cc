#include "vitrine/techniques/monitor_memory.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

#include "vitrine/vmm/testing/fake_qmp.h"

namespace vitrine::techniques {
namespace {

using base::GuestPhysical;
using base::Json;
using memory::ReadRequest;
using memory::ReadStatus;
using vmm::Intervention;
using vmm::Qmp;
using vmm::testing::FakeQmp;

constexpr const char* kTwoLines =
    "0000000000001008: 0x0807060504030201 0x1817161514131211\n"
    "0000000000001018: 0x2827262524232221\n";

TEST(ParseWords, TakesTheWordsInMemoryOrder) {
  std::array<std::byte, 24> bytes{};
  ASSERT_TRUE(parse_words(kTwoLines, GuestPhysical(0x1008), bytes));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(bytes[i], static_cast<std::byte>(0x10 * (i / 8) + i % 8 + 1)) << i;
}

TEST(ParseWords, RefusesWhatIsNotExactlyThat) {
  std::array<std::byte, 24> bytes{};
  EXPECT_FALSE(parse_words(kTwoLines, GuestPhysical(0x1000), bytes)) << "another address";
  EXPECT_FALSE(parse_words(kTwoLines, GuestPhysical(0x1008), std::span(bytes).first(16)));
  std::array<std::byte, 32> more{};
  EXPECT_FALSE(parse_words(kTwoLines, GuestPhysical(0x1008), more));
  const std::string text = kTwoLines;
  for (std::size_t size = 0; size + 1 < text.size(); ++size)
    EXPECT_FALSE(parse_words(text.substr(0, size), GuestPhysical(0x1008), bytes)) << size;
  EXPECT_FALSE(parse_words("Cannot access memory\n", GuestPhysical(0x1008), bytes));
  EXPECT_FALSE(parse_words(":::", GuestPhysical(0), bytes));
}

// What QEMU answers of a memory in which the word at address A holds A, but fills no file.
std::string text_only(const Json& request) {
  const std::string command = request.value("arguments", Json::object()).value("command-line", "");
  if (!command.starts_with("xp /")) return "[]";
  std::size_t count = 0;
  std::uint64_t from = 0;
  if (std::sscanf(command.c_str(), "xp /%zuxg 0x%lx", &count, &from) != 2) return "\"?\"";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    char word[64];
    if (i % 2 == 0) {
      std::snprintf(word, sizeof word, "%016lx:", from + 8 * i);
      text += word;
    }
    std::snprintf(word, sizeof word, " 0x%016lx", from + 8 * i);
    text += word;
    if (i % 2 == 1 || i + 1 == count) text += "\r\n";
  }
  return Json(text).dump();
}

bool holds_addresses(const ReadRequest& request) {
  for (std::size_t i = 0; i < request.into.size(); ++i) {
    const std::uint64_t at = request.address.value + i;
    if (request.into[i] != static_cast<std::byte>((at / 8 * 8) >> (at % 8 * 8))) return false;
  }
  return true;
}

TEST(MonitorMemory, ReadsPiecesOfAnySizeAndPlaceAsText) {
  FakeQmp server(text_only);
  auto qmp = Qmp::adopt(server.client());
  ASSERT_TRUE(qmp);
  auto intervention = Intervention::begin(std::move(*qmp));
  ASSERT_TRUE(intervention);
  auto memory = MonitorMemory::begin(**intervention, ::getpid());
  ASSERT_TRUE(memory) << to_string(memory.error());
  std::vector<std::vector<std::byte>> bytes;
  for (const std::size_t size : {1U, 7U, 8U, 9U, 64U, 4096U, 10000U}) bytes.emplace_back(size);
  for (const std::uint64_t from : {0x1000U, 0x1001U, 0x1fffU}) {
    std::vector<ReadRequest> requests;
    for (auto& piece : bytes) requests.push_back({GuestPhysical(from), piece});
    memory->read(requests);
    for (const ReadRequest& request : requests) {
      EXPECT_EQ(request.status, ReadStatus::ok);
      EXPECT_TRUE(holds_addresses(request)) << from << " " << request.into.size();
    }
  }
}

TEST(MonitorMemory, WhatQemuDoesNotPrintFails) {
  FakeQmp server([](const Json& request) {
    return request.value("arguments", Json::object()).value("command-line", "").ends_with("0x2000")
               ? "\"no\""
               : text_only(request);
  });
  auto qmp = Qmp::adopt(server.client());
  auto intervention = Intervention::begin(std::move(*qmp));
  auto memory = MonitorMemory::begin(**intervention, ::getpid());
  ASSERT_TRUE(memory);
  std::array<std::byte, 16> bytes{};
  std::vector<ReadRequest> requests{{GuestPhysical(0x2000), std::span(bytes).first(8)},
                                    {GuestPhysical(0x3000), std::span(bytes).last(8)}};
  memory->read(requests);
  EXPECT_EQ(requests[0].status, ReadStatus::failed);
  EXPECT_EQ(requests[1].status, ReadStatus::ok);
}

}  // namespace
}  // namespace vitrine::techniques
