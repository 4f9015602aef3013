#include "vitrine/kernel/vmcoreinfo.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>

namespace vitrine::kernel {
namespace {

constexpr std::string_view note_name{"VMCOREINFO\0\0", 12};
constexpr std::uint32_t note_name_bytes = 11;  // with its NUL, without the padding

std::uint32_t word(std::span<const std::byte> bytes, std::size_t index) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

template <class T>
std::optional<T> parse_whole(std::string_view digits, int base) {
  T value{};
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> decimal(std::optional<std::string_view> text) {
  return text ? parse_whole<std::uint64_t>(*text, 10) : std::nullopt;
}

std::optional<std::uint64_t> hexadecimal(std::optional<std::string_view> text) {
  return text ? parse_whole<std::uint64_t>(*text, 16) : std::nullopt;
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::optional<std::uint32_t> Vmcoreinfo::note_size(std::span<const std::byte> header) {
  if (header.size() < note_header_bytes) return std::nullopt;
  if (word(header, 0) != note_name_bytes || word(header, 2) != 0) return std::nullopt;
  const std::uint32_t text_bytes = word(header, 1);
  if (text_bytes == 0 || text_bytes > max_text_bytes) return std::nullopt;
  if (std::memcmp(header.data() + 12, note_name.data(), note_name.size()) != 0) return std::nullopt;
  return static_cast<std::uint32_t>(note_header_bytes) + text_bytes;
}

base::Result<Vmcoreinfo> Vmcoreinfo::parse_note(std::span<const std::byte> note) {
  const auto size = note_size(note);
  if (!size) return base::fail(base::Code::invalid, "no VMCOREINFO note begins here");
  if (note.size() < *size) return base::fail(base::Code::invalid, "the VMCOREINFO note is cut off");
  return parse(
      {reinterpret_cast<const char*>(note.data()) + note_header_bytes, *size - note_header_bytes});
}

base::Result<Vmcoreinfo> Vmcoreinfo::parse(std::string_view text) {
  if (text.size() > max_text_bytes) {
    return base::fail(base::Code::invalid, "the VMCOREINFO text is too long to be one");
  }
  text = text.substr(0, text.find('\0'));
  if (!text.starts_with("OSRELEASE=")) {
    return base::fail(base::Code::invalid, "the VMCOREINFO text does not begin with OSRELEASE");
  }
  Vmcoreinfo info;
  info.text_ = text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::size_t key_bytes = text.substr(at, end - at).find('=');
    if (key_bytes != std::string_view::npos) {
      info.lines_.push_back({static_cast<std::uint32_t>(at),
                             static_cast<std::uint32_t>(at + key_bytes),
                             static_cast<std::uint32_t>(end)});
    }
    at = end + 1;
  }
  std::stable_sort(info.lines_.begin(), info.lines_.end(),
                   [&](const Line& a, const Line& b) { return info.key(a) < info.key(b); });
  return info;
}

std::string_view Vmcoreinfo::key(const Line& line) const {
  return std::string_view(text_).substr(line.key, line.equals - line.key);
}

std::optional<std::string_view> Vmcoreinfo::value(std::string_view wanted) const {
  const auto line = std::lower_bound(
      lines_.begin(), lines_.end(), wanted,
      [this](const Line& candidate, std::string_view name) { return key(candidate) < name; });
  if (line == lines_.end() || key(*line) != wanted) return std::nullopt;
  return std::string_view(text_).substr(line->equals + 1, line->end - line->equals - 1);
}

std::optional<std::string_view> Vmcoreinfo::value(std::string_view kind,
                                                  std::string_view name) const {
  std::string whole(kind);
  whole.append("(").append(name).append(")");
  return value(whole);
}

std::string_view Vmcoreinfo::release() const { return value("OSRELEASE").value_or(""); }

std::optional<std::string_view> Vmcoreinfo::build_id() const {
  const auto id = value("BUILD-ID");
  if (!id || id->size() != 40 || !std::all_of(id->begin(), id->end(), is_hex_digit)) {
    return std::nullopt;
  }
  return id;
}

std::optional<std::uint64_t> Vmcoreinfo::page_size() const { return decimal(value("PAGESIZE")); }

std::optional<std::uint64_t> Vmcoreinfo::kernel_offset() const {
  return hexadecimal(value("KERNELOFFSET"));
}

std::optional<std::uint64_t> Vmcoreinfo::crash_time() const { return decimal(value("CRASHTIME")); }

std::optional<base::GuestVirtual> Vmcoreinfo::symbol(std::string_view name) const {
  const auto address = hexadecimal(value("SYMBOL", name));
  if (!address) return std::nullopt;
  return base::GuestVirtual(*address);
}

std::optional<std::uint64_t> Vmcoreinfo::offset(std::string_view member) const {
  return decimal(value("OFFSET", member));
}

std::optional<std::uint64_t> Vmcoreinfo::size(std::string_view type) const {
  return decimal(value("SIZE", type));
}

std::optional<base::GuestVirtual> Vmcoreinfo::utsname() const {
  const auto names = symbol("init_uts_ns");
  if (!names) return std::nullopt;
  // Until 5.10 no note says so, and a reference count of 4 bytes stands before (9a56493f6942).
  return *names + offset("uts_namespace.name").value_or(4);
}

std::optional<std::uint64_t> Vmcoreinfo::length(std::string_view member) const {
  return decimal(value("LENGTH", member));
}

std::optional<std::int64_t> Vmcoreinfo::number(std::string_view name) const {
  const auto text = value("NUMBER", name);
  if (!text) return std::nullopt;
  // Most are printed with %ld, addresses (VMALLOC_START, kimage_voffset) as 0x and hex digits.
  if (text->starts_with("0x")) {
    const auto bits = hexadecimal(text->substr(2));
    if (!bits) return std::nullopt;
    return static_cast<std::int64_t>(*bits);
  }
  return parse_whole<std::int64_t>(*text, 10);
}

}  // namespace vitrine::kernel
