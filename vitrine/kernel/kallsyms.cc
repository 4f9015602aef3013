#include "vitrine/kernel/kallsyms.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "vitrine/kernel/kallsyms_names.h"
#include "vitrine/kernel/kallsyms_search.h"

namespace vitrine::kernel {
namespace {

using base::Code;
using base::GuestVirtual;
using base::Result;

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t chunk_bytes = 128u << 10;
constexpr std::size_t kTokens = 256;
constexpr std::size_t max_token_bytes = 1024;  // twice KSYM_NAME_LEN

// A copy of guest memory whose end is found while reading it: it grows by chunks, and by pages
// where the next chunk is not wholly mapped.
class GrowingCopy {
 public:
  GrowingCopy(memory::VirtualMemory& memory, GuestVirtual from) : memory_(memory), from_(from) {}

  Result<void> grow() {
    if (grow_to_boundary(chunk_bytes)) return {};
    return grow_to_boundary(page_bytes);
  }

  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  Result<void> grow_to_boundary(std::size_t unit) {
    const std::size_t old = bytes_.size();
    const GuestVirtual at = from_ + old;
    bytes_.resize(old + unit - at.value % unit);
    auto read = memory_.read(at, std::span(bytes_).subspan(old));
    if (!read) bytes_.resize(old);
    return read;
  }

  memory::VirtualMemory& memory_;
  GuestVirtual from_;
  std::vector<std::byte> bytes_;
};

// Counts names in one of the two length encodings as far as bytes are known.
struct NameCount {
  NameLengths lengths;
  std::size_t end = 0;
  std::uint32_t seen = 0;
  bool broken = false;

  void advance(std::span<const std::byte> names, std::uint32_t wanted) {
    while (seen < wanted && !broken) {
      const auto name = compressed_name(names, end, lengths);
      if (!name) return;
      broken = name->begin == name->end;
      end = name->end;
      ++seen;
    }
  }
  bool whole(std::uint32_t wanted) const { return seen == wanted && !broken; }
};

Result<std::vector<std::byte>> read_names(memory::VirtualMemory& memory, GuestVirtual from,
                                          std::uint32_t symbols) {
  GrowingCopy copy(memory, from);
  NameCount wide{NameLengths::two_bytes};
  NameCount narrow{NameLengths::one_byte};
  auto ended = [&](const NameCount& count) { return count.broken || count.seen == symbols; };
  Result<void> read;
  while (!ended(wide) || !ended(narrow)) {
    if (copy.bytes().size() > KallsymsTables::max_name_table_bytes) break;
    if (read = copy.grow(); !read) break;
    wide.advance(copy.bytes(), symbols);
    narrow.advance(copy.bytes(), symbols);
  }
  std::size_t end = 0;
  for (const NameCount& count : {wide, narrow}) {
    if (count.whole(symbols)) end = std::max(end, count.end);
  }
  if (end != 0) {
    copy.bytes().resize(end);
    copy.bytes().shrink_to_fit();
    return std::move(copy.bytes());
  }
  if (!read) return base::fail(read.error());
  return base::fail(Code::inconsistent, "the names of the guest's kallsyms do not end");
}

std::uint16_t entry(std::span<const std::byte> table, std::size_t index) {
  std::uint16_t value = 0;
  std::memcpy(&value, table.data() + index * sizeof value, sizeof value);
  return value;
}

// The last token begins where the highest index says, and ends at its NUL.
Result<std::vector<std::byte>> read_token_table(memory::VirtualMemory& memory, GuestVirtual from,
                                                std::span<const std::byte> token_index) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < kTokens; ++i) {
    last = std::max<std::size_t>(last, entry(token_index, i));
  }
  GrowingCopy copy(memory, from);
  while (copy.bytes().size() < last + max_token_bytes) {
    if (auto read = copy.grow(); !read) return base::fail(read.error());
    auto& bytes = copy.bytes();
    if (bytes.size() <= last) continue;
    const auto nul =
        std::find(bytes.begin() + static_cast<std::ptrdiff_t>(last), bytes.end(), std::byte{0});
    if (nul == bytes.end()) continue;
    bytes.erase(nul + 1, bytes.end());
    bytes.shrink_to_fit();
    return std::move(bytes);
  }
  return base::fail(Code::inconsistent, "the last token of the guest's kallsyms does not end");
}

template <class T>
Result<T> read_value(memory::VirtualMemory& memory, GuestVirtual from) {
  std::array<std::byte, sizeof(T)> bytes{};
  if (auto read = memory.read(from, bytes); !read) return base::fail(read.error());
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// The places that VMCOREINFO names; nullopt where it does not name all that there must be.
std::optional<KallsymsPlaces> named_places(const Vmcoreinfo& info) {
  const auto names = info.symbol("kallsyms_names");
  const auto count = info.symbol("kallsyms_num_syms");
  const auto table = info.symbol("kallsyms_token_table");
  const auto index = info.symbol("kallsyms_token_index");
  const auto offsets = info.symbol("kallsyms_offsets");
  if (!names || !count || !table || !index || !offsets) return std::nullopt;
  return KallsymsPlaces{.names = *names,
                        .symbol_count = *count,
                        .token_table = *table,
                        .token_index = *index,
                        .offsets = *offsets,
                        .relative_base = info.symbol("kallsyms_relative_base")};
}

Result<KallsymsPlaces> places_of(memory::VirtualMemory& memory, const Vmcoreinfo& info,
                                 GuestVirtual stext) {
  if (const auto named = named_places(info)) return *named;
  return find_kallsyms(memory, stext);
}

}  // namespace

Result<KallsymsTables> read_kallsyms(memory::VirtualMemory& memory, const Vmcoreinfo& info) {
  const auto stext = info.symbol("_stext");
  if (!stext) {
    return base::fail(Code::unsupported,
                      "the guest kernel's VMCOREINFO does not say where the kernel is");
  }
  const auto places = places_of(memory, info, *stext);
  if (!places) return base::fail(places.error());
  KallsymsTables tables;
  tables.stext = *stext;
  tables.names_address = places->names;
  tables.offsets_address = places->offsets;
  if (places->relative_base) {
    auto base_value = read_value<std::uint64_t>(memory, *places->relative_base);
    if (!base_value) return base::fail(base_value.error());
    tables.relative_base = *base_value;
  }
  auto symbols = read_value<std::uint32_t>(memory, places->symbol_count);
  if (!symbols) return base::fail(symbols.error());
  if (*symbols == 0 || *symbols > KallsymsTables::max_symbols) {
    return base::fail(Code::inconsistent, "the guest's kallsyms claims to hold " +
                                              std::to_string(*symbols) + " symbols");
  }
  tables.symbols = *symbols;

  tables.token_index.resize(kTokens * sizeof(std::uint16_t));
  if (auto read = memory.read(places->token_index, tables.token_index); !read)
    return base::fail(read.error());
  auto token_table = read_token_table(memory, places->token_table, tables.token_index);
  if (!token_table) return base::fail(token_table.error());
  tables.token_table = std::move(*token_table);
  auto name_table = read_names(memory, places->names, tables.symbols);
  if (!name_table) return base::fail(name_table.error());
  tables.names = std::move(*name_table);
  tables.offsets.resize(std::size_t{tables.symbols} * sizeof(std::int32_t));
  if (auto read = memory.read(places->offsets, tables.offsets); !read)
    return base::fail(read.error());
  return tables;
}

}  // namespace vitrine::kernel
