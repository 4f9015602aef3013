#include "vitrine/vmm/monitor_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

namespace vitrine::vmm {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kFiles = 4;
constexpr std::uint64_t kWord = 8;

Json parse(std::string_view text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

// The words around a piece. RAM is made of whole pages, so they are RAM, too.
memory::Range words_around(base::GuestPhysical from, std::uint64_t size) {
  const std::uint64_t begin = from.value / kWord * kWord;
  const std::uint64_t end = (from.value + size + kWord - 1) / kWord * kWord;
  return {base::GuestPhysical(begin), end - begin};
}

// Undo: takes back the descriptors that carry this name. QEMU does so by itself only when no
// monitor is connected any more (monitor/fds.c).
bool take_back(Qmp& qmp, std::string_view name) {
  const auto text = qmp.execute("query-fdsets");
  if (!text) return text.error().code == base::Code::gone;
  const Json sets = parse(*text);
  if (!sets.is_array()) return true;
  bool all = true;
  for (const Json& set : sets) {
    if (!set.is_object() || !set.contains("fds") || !set["fds"].is_array()) continue;
    for (const Json& file : set["fds"]) {
      if (!file.is_object() || file.value("opaque", Json()) != Json(name)) continue;
      const Json which = {{"fdset-id", set.value("fdset-id", Json())}};
      all = qmp.execute("remove-fd", which.dump()).has_value() && all;
      break;
    }
  }
  return all;
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

base::Result<MonitorMemory> MonitorMemory::begin(Intervention& intervention) {
  MonitorMemory memory(intervention);
  const std::string name = fmt::format("vitrine-{}", ::getpid());
  auto noted = intervention.note(&take_back, name);
  if (!noted) return base::fail(noted.error());
  memory.files_taken_back_ = std::move(*noted);
  while (memory.files_.size() < kFiles) {
    auto file = memory.hand_over(name);
    if (!file && intervention.qmp().broken()) return base::fail(file.error());
    if (!file) break;
    memory.files_.push_back(std::move(*file));
  }
  return memory;
}

base::Result<MonitorMemory::File> MonitorMemory::hand_over(std::string_view name) {
  // Of no user's in particular: a VMM of any user may open its descriptor of it anew.
  File file{base::FileDescriptor(::memfd_create("vitrine", MFD_CLOEXEC)), {}};
  if (!file.memory.valid())
    return base::fail_errno(errno, "memfd_create", "cannot make a memory file");
  const auto text =
      intervention_->qmp().execute_with(file.memory.get(), "add-fd", Json{{"opaque", name}}.dump());
  if (!text) return base::fail(text.error());
  const Json added = parse(*text);
  const Json number = added.is_object() ? added.value("fd", Json()) : Json();
  if (!number.is_number_unsigned())
    return base::fail(base::Code::inconsistent, "QEMU does not tell which descriptor it received");
  file.path = fmt::format("/proc/self/fd/{}", number.get<std::uint64_t>());
  return file;
}

void MonitorMemory::read(std::span<memory::ReadRequest> requests) {
  std::vector<Part> text;
  std::vector<Part> files;
  for (memory::ReadRequest& request : requests) {
    request.status = memory::ReadStatus::ok;
    const bool as_text = files_.empty() || request.into.size() <= kText;
    const std::size_t longest = as_text ? 4 * kText : kLongest;
    for (std::size_t at = 0; at < request.into.size(); at += longest)
      (as_text ? text : files)
          .push_back({&request, at, std::min(longest, request.into.size() - at)});
  }
  read_text(text);
  for (std::size_t at = 0; at < files.size(); at += files_.size())
    read_files(std::span(files).subspan(at, std::min(files_.size(), files.size() - at)));
}

void MonitorMemory::read_text(std::span<const Part> parts) {
  std::vector<std::string> commands;
  commands.reserve(parts.size());
  for (const Part& part : parts) {
    const memory::Range words = words_around(part.from(), part.size);
    commands.push_back(fmt::format("xp /{}xg {:#x}", words.size / kWord, words.start.value));
  }
  const auto replies = intervention_->qmp().human_monitor_all(commands);
  std::array<std::byte, 4 * kText + 2 * kWord> bytes;
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

void MonitorMemory::read_files(std::span<const Part> parts) {
  std::vector<QmpCommand> commands;
  for (std::size_t i = 0; i < parts.size(); ++i)
    commands.push_back(
        {"pmemsave",
         Json{{"val", parts[i].from().value}, {"size", parts[i].size}, {"filename", files_[i].path}}
             .dump()});
  const auto replies = intervention_->qmp().execute_all(commands);
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!replies[i] || !read_whole(files_[i].memory.get(), parts[i].into()))
      parts[i].request->status = memory::ReadStatus::failed;
}

}  // namespace vitrine::vmm
