#include "vitrine/techniques/monitor_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "vitrine/base/json.h"

namespace vitrine::techniques {
namespace {

using base::Json;

constexpr std::uint64_t kWord = 8;

// The words around a piece. RAM is made of whole pages, so they are RAM, too.
memory::Range words_around(base::GuestPhysical from, std::uint64_t size) {
  const std::uint64_t begin = from.value / kWord * kWord;
  const std::uint64_t end = (from.value + size + kWord - 1) / kWord * kWord;
  return {base::GuestPhysical(begin), end - begin};
}

std::optional<std::uint64_t> hexadecimal(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + digits, value, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool skip(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

bool read_whole(int file, std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(file, into.data() + done, into.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

bool parse_words(std::string_view text, base::GuestPhysical from, std::span<std::byte> into) {
  constexpr std::size_t kDigits = 16;
  for (std::size_t at = 0; at < into.size(); at += kWord) {
    const std::size_t end_of_address = text.find(':');
    if (end_of_address <= kDigits) {
      // A line begins. QEMU pads addresses to 16 digits, or 8 for a 32-bit target.
      const auto address = hexadecimal(text, end_of_address);
      if (!address || *address != from.value + at || !skip(text, ":")) return false;
    }
    if (!skip(text, " 0x")) return false;
    const auto word = hexadecimal(text, kDigits);
    if (!word) return false;
    std::memcpy(into.data() + at, &*word, kWord);
    (void)skip(text, "\n");
  }
  return text.empty();
}

base::Result<MonitorMemory> MonitorMemory::begin(vmm::Intervention& intervention, pid_t pid) {
  MonitorMemory memory(intervention);
  auto handed = memory.hand_over(pid);
  if (!handed && intervention.qmp().broken()) return base::fail(handed.error());
  return memory;
}

base::Result<void> MonitorMemory::hand_over(pid_t pid) {
  // Anybody may open it who has a descriptor of it: the VMM may run as another user.
  file_ = base::FileDescriptor(::memfd_create("vitrine", MFD_CLOEXEC));
  if (!file_.valid()) return base::fail_errno(errno, "memfd_create", "cannot make a memory file");
  auto handed = hand_over_named(*intervention_, file_.get());
  if (!handed) return base::fail(handed.error());
  handed_over_ = std::move(*handed);
  auto path = path_in_vmm(pid, file_.get());
  if (!path) return base::fail(path.error());
  path_ = std::move(*path);
  return {};
}

void MonitorMemory::read(std::span<memory::ReadRequest> requests) {
  constexpr std::size_t kLongestText = 4 * kText;
  std::vector<Part> text;
  for (memory::ReadRequest& request : requests) {
    request.status = memory::ReadStatus::ok;
    if (request.into.size() > kText && read_through_file(request)) continue;
    for (std::size_t at = 0; at < request.into.size(); at += kLongestText)
      text.push_back({&request, at, std::min(kLongestText, request.into.size() - at)});
  }
  read_text(text);
}

void MonitorMemory::read_text(std::span<const Part> parts) {
  std::vector<std::string> commands;
  commands.reserve(parts.size());
  for (const Part& part : parts) {
    const memory::Range words = words_around(part.from(), part.size);
    commands.push_back(fmt::format("xp /{}xg {:#x}", words.size / kWord, words.start.value));
  }
  const auto replies = intervention_->qmp().human_monitor_all(commands);
  std::array<std::byte, 4 * kText + 2 * kWord> bytes{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const memory::Range words = words_around(parts[i].from(), parts[i].size);
    const auto into = std::span(bytes).first(words.size);
    if (!replies[i] || !parse_words(*replies[i], words.start, into))
      parts[i].request->status = memory::ReadStatus::failed;
    else
      std::memcpy(parts[i].into().data(), into.data() + (parts[i].from() - words.start),
                  parts[i].size);
  }
}

// False where it can't be done this way, and then it is not tried again: the VMM may be forbidden
// to open the file.
bool MonitorMemory::read_through_file(const memory::ReadRequest& request) {
  for (std::size_t at = 0; at < request.into.size() && !path_.empty(); at += kLongest) {
    const auto into = request.into.subspan(at, std::min(kLongest, request.into.size() - at));
    const Json arguments = {
        {"val", request.address.value + at}, {"size", into.size()}, {"filename", path_}};
    if (!intervention_->qmp().execute("pmemsave", arguments.dump()) ||
        !read_whole(file_.get(), into))
      path_.clear();
  }
  return !path_.empty();
}

}  // namespace vitrine::techniques
