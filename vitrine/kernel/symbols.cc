#include "vitrine/kernel/symbols.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "vitrine/kernel/symbol_filter.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;

constexpr std::uint32_t marker_distance = 256;

// The letters nm(1) gives to kinds of symbols.
bool is_symbol_type(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '?'; }

}  // namespace

base::Result<Symbols> Symbols::read(memory::VirtualMemory& memory, const Vmcoreinfo& info) {
  auto tables = read_kallsyms(memory, info);
  if (!tables) return base::fail(tables.error());
  return decode(std::move(*tables));
}

base::Result<Symbols> Symbols::decode(KallsymsTables tables) {
  Symbols symbols(std::move(tables));
  if (symbols.check_sizes() && symbols.index_tokens()) {
    for (const NameLengths lengths : {NameLengths::two_bytes, NameLengths::one_byte}) {
      symbols.lengths_ = lengths;
      if (!symbols.index_names() || !symbols.choose_encoding()) continue;
      symbols.index_addresses();
      return symbols;
    }
  }
  return base::fail(base::Code::inconsistent,
                    "the guest's kallsyms does not decode to the _stext of its VMCOREINFO");
}

bool Symbols::check_sizes() const {
  return tables_.symbols != 0 && tables_.symbols <= KallsymsTables::max_symbols &&
         tables_.offsets.size() == std::size_t{tables_.symbols} * sizeof(std::int32_t) &&
         tables_.names.size() <= 2 * KallsymsTables::max_name_table_bytes &&
         tables_.token_index.size() == tokens_.size() * sizeof(std::uint16_t);
}

bool Symbols::index_tokens() {
  const auto& table = tables_.token_table;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    std::uint16_t begin = 0;
    std::memcpy(&begin, tables_.token_index.data() + i * sizeof begin, sizeof begin);
    if (begin >= table.size()) return false;
    const void* nul = std::memchr(table.data() + begin, 0, table.size() - begin);
    if (nul == nullptr) return false;
    const auto length = static_cast<const std::byte*>(nul) - (table.data() + begin);
    tokens_[i] = {begin, static_cast<std::uint32_t>(length)};
  }
  return true;
}

std::string_view Symbols::token(std::size_t number) const {
  const Token& token = tokens_[number];
  return {reinterpret_cast<const char*>(tables_.token_table.data()) + token.begin, token.length};
}

std::string_view Symbols::token_at(std::size_t position) const {
  return token(std::to_integer<std::size_t>(tables_.names[position]));
}

bool Symbols::check_name(const CompressedName& name) const {
  if (name.begin == name.end) return false;
  const std::string_view first = token_at(name.begin);
  if (first.empty() || !is_symbol_type(first.front())) return false;
  std::size_t length = 0;
  for (std::size_t i = name.begin; i < name.end; ++i) {
    length += tokens_[std::to_integer<std::size_t>(tables_.names[i])].length;
  }
  return length > 1 && length <= SymbolFilter::max_name_bytes;
}

bool Symbols::index_names() {
  markers_.clear();
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < tables_.symbols; ++i) {
    if (i % marker_distance == 0) markers_.push_back(static_cast<std::uint32_t>(at));
    const auto name = compressed_name(tables_.names, at, lengths_);
    if (!name || !check_name(*name)) return false;
    at = name->end;
  }
  return true;
}

bool Symbols::choose_encoding() {
  const std::string_view wanted = "_stext";
  const auto index = find_indices(std::span(&wanted, 1)).front();
  if (!index) return false;
  for (const Encoding encoding :
       {Encoding::base_relative, Encoding::absolute_percpu, Encoding::place_relative}) {
    if (encoding != Encoding::place_relative && !tables_.relative_base) continue;
    encoding_ = encoding;
    if (address(*index) == tables_.stext) return true;
  }
  return false;
}

void Symbols::index_addresses() {
  std::uint32_t sorted = 1;
  while (sorted < count() && !(address(sorted) < address(sorted - 1))) ++sorted;
  if (sorted == count()) return;
  std::vector<std::uint32_t> order(count());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [this](std::uint32_t a, std::uint32_t b) { return address(a) < address(b); });
  order_ = std::move(order);
}

std::vector<std::optional<std::uint32_t>> Symbols::find_indices(
    std::span<const std::string_view> names) const {
  std::array<std::string_view, 256> tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = token(i);
  SymbolFilter filter(tokens, names);
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < tables_.symbols && !filter.all_found(); ++i) {
    const auto name = compressed_name(tables_.names, at, lengths_);
    if (!name) break;  // never: index_names() saw them all
    filter.offer(std::span(tables_.names).subspan(name->begin, name->end - name->begin), i);
    at = name->end;
  }
  return std::move(filter).found();
}

void Symbols::remember(std::span<const std::string_view> names) {
  auto addresses = find(names);
  for (std::size_t i = 0; i < names.size(); ++i)
    remembered_.push_back({std::string(names[i]), addresses[i]});
}

std::vector<std::optional<GuestVirtual>> Symbols::find(
    std::span<const std::string_view> names) const {
  std::vector<std::optional<GuestVirtual>> addresses;
  addresses.reserve(names.size());
  for (const std::string_view name : names) {
    const auto known = std::ranges::find(remembered_, name, &Remembered::name);
    if (known == remembered_.end()) break;
    addresses.push_back(known->address);
  }
  if (addresses.size() == names.size()) return addresses;
  addresses.clear();
  for (const auto& index : find_indices(names)) {
    addresses.push_back(index ? std::optional(address(*index)) : std::nullopt);
  }
  return addresses;
}

std::optional<GuestVirtual> Symbols::find(std::string_view name) const {
  return find(std::span(&name, 1)).front();
}

void Symbols::for_each(const Each& each) const {
  std::size_t at = 0;
  std::string text;
  for (std::uint32_t i = 0; i < tables_.symbols; ++i) {
    const auto name = compressed_name(tables_.names, at, lengths_);
    if (!name) return;  // never: index_names() saw them all
    at = name->end;
    text.clear();
    for (std::size_t position = name->begin; position < name->end; ++position)
      text += token_at(position);
    each(std::string_view(text).substr(1), text.front(), address(i));
  }
}

std::string Symbols::name(std::uint32_t index) const {
  std::size_t at = markers_[index / marker_distance];
  for (std::uint32_t i = index % marker_distance;; --i) {
    const auto name = compressed_name(tables_.names, at, lengths_);
    if (!name) return {};  // never: index_names() saw them all
    at = name->end;
    if (i != 0) continue;
    std::string text;
    for (std::size_t position = name->begin; position < name->end; ++position) {
      text += token_at(position);
    }
    return text.substr(1);  // without the type
  }
}

GuestVirtual Symbols::address(std::uint32_t index) const {
  const std::size_t position = std::size_t{index} * sizeof(std::int32_t);
  std::int32_t value = 0;
  std::memcpy(&value, tables_.offsets.data() + position, sizeof value);
  const auto widened = static_cast<std::uint64_t>(std::int64_t{value});
  const std::uint64_t relative_base = tables_.relative_base.value_or(0);
  switch (encoding_) {
    case Encoding::base_relative:
      return GuestVirtual(relative_base + static_cast<std::uint32_t>(value));
    case Encoding::absolute_percpu:
      return GuestVirtual(value >= 0 ? widened : relative_base - 1 - widened);
    case Encoding::place_relative:
      break;
  }
  return tables_.offsets_address + position + widened;
}

std::uint32_t Symbols::by_address(std::uint32_t place) const {
  return order_.empty() ? place : order_[place];
}

std::uint32_t Symbols::place_above(GuestVirtual wanted) const {
  std::uint32_t low = 0;
  std::uint32_t high = count();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (address(by_address(middle)) > wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::optional<SymbolHit> Symbols::containing(GuestVirtual wanted) const {
  if (wanted < tables_.stext) return std::nullopt;
  // Never 0: `_stext` itself is a symbol at or below the wanted address.
  const std::uint32_t above = place_above(wanted);
  const GuestVirtual start = address(by_address(above - 1));
  if (above == count() && start != wanted) return std::nullopt;
  const std::uint32_t first = start.value == 0 ? 0 : place_above(start - 1);
  return SymbolHit{name(by_address(first)), start, wanted - start};
}

std::optional<GuestVirtual> Symbols::next_address_after(GuestVirtual wanted) const {
  const std::uint32_t above = place_above(wanted);
  if (above == count()) return std::nullopt;
  return address(by_address(above));
}

}  // namespace vitrine::kernel
