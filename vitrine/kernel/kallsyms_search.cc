#include "vitrine/kernel/kallsyms_search.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/kernel/image_scan.h"
#include "vitrine/kernel/kallsyms_names.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;

constexpr std::uint64_t kAlignment = 8;  // of each table, until 7.0
constexpr std::size_t kTokensOfATable = 256;
constexpr std::size_t kDigit = '0';             // the token that the digits begin with
constexpr std::size_t kMarked = 256;            // names from one marker to the next
constexpr std::size_t kLongestName = 2 + 1024;  // with its length, at least twice KSYM_NAME_LEN
constexpr std::size_t kLongestGroup = kMarked * kLongestName;
constexpr std::uint64_t kTokenBytesBefore = 4096;  // of the tokens before the digits, at most
constexpr std::uint64_t kTokenBytesAfter = 16U << 10;
constexpr std::uint64_t kMarkerBytes = KallsymsTables::max_symbols / kMarked * 4;
constexpr int kMostPlaces = 32;  // places where digits follow each other

constexpr std::array<char, 20> kDigits{'0', 0, '1', 0, '2', 0, '3', 0, '4', 0,
                                       '5', 0, '6', 0, '7', 0, '8', 0, '9', 0};

std::uint64_t aligned(std::uint64_t value) {
  return (value + kAlignment - 1) / kAlignment * kAlignment;
}

// Where the table of tokens begins of which the digits are at `digits`.
std::optional<GuestVirtual> table_start(const Window& window, GuestVirtual digits) {
  std::size_t at = digits - window.start;
  const auto nul_before = [&window](std::size_t place) {
    return place > 0 && window.bytes[place - 1] == std::byte{0};
  };
  for (std::size_t token = kDigit; token > 0; --token) {
    if (!nul_before(at)) return std::nullopt;
    --at;
    while (at > 0 && !nul_before(at)) --at;
  }
  const GuestVirtual start = window.start + at;
  if (!nul_before(at) || start.value % kAlignment != 0) return std::nullopt;
  return start;
}

// Where the index of the table at `table` is: the very 256 offsets of its tokens, behind it.
std::optional<GuestVirtual> index_of(const Window& window, GuestVirtual table) {
  const auto text = window.from(table);
  std::array<std::uint16_t, kTokensOfATable> index{};
  std::size_t at = 0;
  for (std::uint16_t& offset : index) {
    offset = static_cast<std::uint16_t>(at);
    const auto nul =
        std::find(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), std::byte{0});
    if (nul == text.end()) return std::nullopt;
    at = static_cast<std::size_t>(nul - text.begin()) + 1;
  }
  const GuestVirtual found = table + aligned(at);
  if (!window.contains(found, sizeof index)) return std::nullopt;
  const bool same = std::memcmp(window.from(found).data(), index.data(), sizeof index) == 0;
  return same ? std::optional(found) : std::nullopt;
}

// Where each 256th name begins, seen from the first one; and where the table of this is.
struct Markers {
  GuestVirtual at;
  std::uint32_t count = 0;
  std::uint32_t second = 0;
  std::uint32_t last = 0;
};

// They end where the table of tokens begins, but for what aligns that, and begin with 0.
std::optional<Markers> markers_before(const Window& window, GuestVirtual table) {
  GuestVirtual at = table - 4;
  if (window.value<std::uint32_t>(at) == 0U) at = at - 4;
  Markers markers;
  markers.last = window.value<std::uint32_t>(at).value_or(0);
  markers.second = markers.last;
  markers.count = 1;
  for (std::uint32_t later = markers.last; later != 0; ++markers.count) {
    at = at - 4;
    const auto earlier = window.value<std::uint32_t>(at);
    if (!earlier || *earlier >= later || later - *earlier > kLongestGroup) return std::nullopt;
    if (*earlier == 0) markers.second = later;
    later = *earlier;
  }
  markers.at = at;
  if (markers.count == 1 || at.value % kAlignment != 0) return std::nullopt;
  return markers;
}

// How many bytes that many names take; nullopt where they are none.
std::optional<std::size_t> names_size(std::span<const std::byte> names, std::uint32_t count,
                                      NameLengths lengths) {
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto name = compressed_name(names, at, lengths);
    if (!name || name->begin == name->end) return std::nullopt;
    at = name->end;
  }
  return at;
}

// The names end where the markers begin, and right before them stands how many they are: their
// beginning is where both that and the first and last marker fit.
std::optional<GuestVirtual> names_before(memory::VirtualMemory& memory, const Markers& markers) {
  const Window end = read_around(memory, markers.at, kLongestGroup, 0);
  const GuestVirtual latest = markers.at - markers.last;
  const Window begin = read_around(memory, latest, kLongestGroup + kAlignment, markers.second);
  for (GuestVirtual at(latest.value / kAlignment * kAlignment);
       begin.contains(at - kAlignment, kAlignment); at = at - kAlignment) {
    const std::uint32_t count = begin.value<std::uint32_t>(at - kAlignment).value_or(0);
    const std::uint32_t before = (markers.count - 1) * static_cast<std::uint32_t>(kMarked);
    if (count <= before || count - before > kMarked) continue;
    for (const NameLengths lengths : {NameLengths::one_byte, NameLengths::two_bytes}) {
      if (names_size(begin.from(at), kMarked, lengths) != markers.second) continue;
      const auto rest = names_size(end.from(at + markers.last), count - before, lengths);
      if (rest && aligned(markers.last + *rest) == markers.at - at) return at;
    }
  }
  return std::nullopt;
}

std::optional<KallsymsPlaces> places_around(memory::VirtualMemory& memory, GuestVirtual digits) {
  const Window window =
      read_around(memory, digits, kMarkerBytes + kTokenBytesBefore, kTokenBytesAfter);
  const auto table = table_start(window, digits);
  if (!table) return std::nullopt;
  const auto index = index_of(window, *table);
  if (!index) return std::nullopt;
  const auto markers = markers_before(window, *table);
  if (!markers) return std::nullopt;
  const auto names = names_before(memory, *markers);
  if (!names) return std::nullopt;
  const GuestVirtual count_at = *names - kAlignment;
  std::array<std::uint32_t, 1> count{};
  if (!memory.read(count_at, std::as_writable_bytes(std::span(count)))) return std::nullopt;
  const GuestVirtual relative_base = count_at - kAlignment;
  return KallsymsPlaces{.names = *names,
                        .symbol_count = count_at,
                        .token_table = *table,
                        .token_index = *index,
                        .offsets = relative_base - aligned(std::uint64_t{count[0]} * 4),
                        .relative_base = relative_base};
}

}  // namespace

base::Result<KallsymsPlaces> find_kallsyms(memory::VirtualMemory& memory, GuestVirtual stext) {
  std::optional<KallsymsPlaces> found;
  int tries = 0;
  find_in_image(memory, stext, std::as_bytes(std::span(kDigits)), [&](GuestVirtual digits) {
    found = places_around(memory, digits);
    return !found && ++tries < kMostPlaces;
  });
  if (found) return *found;
  return base::fail(base::Code::unsupported,
                    "the guest kernel's image holds no table of its symbols, and VMCOREINFO names "
                    "none",
                    "the guest needs a kernel with CONFIG_KALLSYMS");
}

}  // namespace vitrine::kernel
