// Memory as a VMM may print it in its monitor, and what it may say of its debugger stub. What is
// accepted holds every word; words come back when they are written as QEMU writes them.
#include <fmt/format.h>
#include <fuzzer/FuzzedDataProvider.h>

#include <cstring>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/techniques/monitor_memory.h"
#include "vitrine/vmm/gdb_stub.h"

namespace {

using namespace vitrine;
using fuzz::require;

constexpr std::size_t kWord = 8;

// As monitor/hmp-cmds-target.c, memory_dump, with the format "xp /Nxg".
std::string written(std::span<const std::byte> bytes, base::GuestPhysical from) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += kWord) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, kWord);
    if (at % 16 == 0) text += fmt::format("{:016x}:", from.value + at);
    text += fmt::format(" 0x{:016x}", word);
    if (at % 16 == 8) text += '\n';
  }
  return text;
}

}  // namespace

VITRINE_FUZZER(monitor_memory) {
  FuzzedDataProvider input(data, size);
  const base::GuestPhysical from(input.ConsumeIntegralInRange<std::uint64_t>(0, 4) * kWord);
  std::vector<std::byte> bytes(input.ConsumeIntegralInRange<std::size_t>(1, 8) * kWord);
  const std::string text = input.ConsumeRemainingBytesAsString();
  if (techniques::parse_words(text, from, bytes)) {
    require(text.size() >= bytes.size() / kWord * (sizeof(" 0x0123456789abcdef") - 1));
    std::vector<std::byte> again(bytes.size());
    require(techniques::parse_words(written(bytes, from), from, again) && again == bytes);
  }
  std::vector<std::byte> words(text.size() / kWord * kWord);
  if (!words.empty()) std::memcpy(words.data(), text.data(), words.size());
  std::vector<std::byte> again(words.size());
  require(techniques::parse_words(written(words, from), from, again) && again == words);

  const auto stub = vmm::parse_stub(text);
  if (stub) require(stub->socket.empty() ? stub->port != 0 : stub->socket.starts_with('/'));
  return 0;
}
