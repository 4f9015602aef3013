#include "vitrine/kernel/exports.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vitrine/kernel/image_scan.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;

constexpr std::string_view kAnchor{"init_task\0", 10};
constexpr std::uint64_t kNamesAround = 2U << 20;  // of the anchor's name, all others
constexpr std::size_t kMaxName = 512;             // KSYM_NAME_LEN
constexpr int kMostTries = 16;                    // places of the anchor's name
constexpr std::size_t kSample = 64;               // entries compared with kallsyms

// struct kernel_symbol where references are relative to their own place (CONFIG_HAVE_ARCH_PREL32_
// RELOCATIONS, as on x86-64 and arm64): the value's, the name's, and since 5.4 its namespace's
// (8651ec01daed).
constexpr std::array<std::uint64_t, 2> kEntryBytes{12, 8};
constexpr std::uint64_t kNameOffset = 4;

GuestVirtual target_of(GuestVirtual place, std::int32_t distance) {
  return place + static_cast<std::uint64_t>(std::int64_t{distance});
}

// All places in the image that hold the distance to `target`.
std::vector<GuestVirtual> references_to(memory::VirtualMemory& memory, GuestVirtual from,
                                        GuestVirtual target) {
  constexpr std::size_t kMost = 16;
  std::vector<GuestVirtual> places;
  scan_image(memory, from, [&](GuestVirtual at, std::span<const std::byte> part) {
    for (std::size_t i = 0; i + 4 <= part.size(); i += 4) {
      std::int32_t distance = 0;
      std::memcpy(&distance, part.data() + i, sizeof distance);
      if (target_of(at + i, distance) == target) places.push_back(at + i);
    }
    return places.size() < kMost;
  });
  return places;
}

// The tables around one entry, as far as their neighbours are such.
class Table {
 public:
  Table(memory::VirtualMemory& memory, GuestVirtual entry, GuestVirtual name, std::uint64_t size)
      : entry_(entry),
        size_(size),
        entries_(
            read_around(memory, entry, Exports::max_entries * size, Exports::max_entries * size)),
        names_(read_around(memory, name, kNamesAround, kNamesAround)) {}

  std::vector<std::pair<std::string, GuestVirtual>> all() const {
    std::vector<std::pair<std::string, GuestVirtual>> found;
    const auto take = [&](GuestVirtual at) {
      auto name = name_of(at);
      const auto value = entries_.value<std::int32_t>(at);
      if (name.empty() || !value) return false;
      found.emplace_back(std::move(name), target_of(at, *value));
      return true;
    };
    for (GuestVirtual at = entry_; take(at); at = at + size_) {
    }
    for (GuestVirtual at = entry_ - size_; take(at); at = at - size_) {
    }
    return found;
  }

 private:
  // Empty where it has none: names are C's. One may be the end of another: the linker merges them.
  std::string name_of(GuestVirtual at) const {
    const auto distance = entries_.value<std::int32_t>(at + kNameOffset);
    if (!distance) return {};
    const GuestVirtual place = target_of(at + kNameOffset, *distance);
    std::string name;
    for (const std::byte byte : names_.from(place)) {
      const char c = static_cast<char>(byte);
      if (c == '\0') return name;
      const bool usual = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$';
      if (!usual || name.size() >= kMaxName) return {};
      name += c;
    }
    return {};
  }

  GuestVirtual entry_;
  std::uint64_t size_;
  Window entries_;
  Window names_;
};

// Whether kallsyms says the same of those functions that it knows, too. A static function may have
// the name of another one that is exported.
bool confirmed(const std::vector<std::pair<std::string, GuestVirtual>>& entries,
               const Symbols& symbols) {
  std::vector<std::string_view> names;
  std::vector<GuestVirtual> addresses;
  const std::size_t step = std::max<std::size_t>(entries.size() / kSample, 1);
  for (std::size_t i = 0; i < entries.size(); i += step) {
    names.push_back(entries[i].first);
    addresses.push_back(entries[i].second);
  }
  std::size_t known = 0;
  std::size_t same = 0;
  const auto found = symbols.find(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!found[i]) continue;
    ++known;
    if (found[i] == addresses[i]) ++same;
  }
  return same >= 4 && same * 4 >= known * 3;
}

}  // namespace

base::Result<Exports> Exports::read(memory::VirtualMemory& memory, const Symbols& symbols) {
  const GuestVirtual stext = symbols.raw().stext;
  std::vector<Entry> entries;
  int tries = 0;
  find_in_image(memory, stext, std::as_bytes(std::span(kAnchor)), [&](GuestVirtual hit) {
    for (const GuestVirtual place : references_to(memory, stext, hit))
      for (const std::uint64_t size : kEntryBytes) {
        entries = Table(memory, place - kNameOffset, hit, size).all();
        if (confirmed(entries, symbols)) return false;
        entries.clear();
      }
    return ++tries < kMostTries;
  });
  if (entries.empty())
    return base::fail(base::Code::absent, "the guest kernel's image holds no table of exports");
  std::ranges::sort(entries);
  return Exports(std::move(entries));
}

std::optional<GuestVirtual> Exports::find(std::string_view name) const {
  const auto entry = std::ranges::lower_bound(
      entries_, name, {}, [](const Entry& one) { return std::string_view(one.first); });
  if (entry == entries_.end() || entry->first != name) return std::nullopt;
  return entry->second;
}

}  // namespace vitrine::kernel
