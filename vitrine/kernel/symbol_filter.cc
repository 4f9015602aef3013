#include "vitrine/kernel/symbol_filter.h"

#include <algorithm>
#include <cstring>

namespace vitrine::kernel {

SymbolFilter::SymbolFilter(const std::array<std::string_view, 256>& tokens,
                           std::span<const std::string_view> names)
    : found_(names.size()) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].size() >= max_name_bytes) continue;  // no symbol is that long
    wanted_.emplace_back(names[i], i);
    wanted_lengths_.set(names[i].size() + 1);
  }
  std::sort(wanted_.begin(), wanted_.end());
  missing_ = wanted_.size();
  auto begins_one = [this](std::string_view prefix) {
    return std::any_of(wanted_.begin(), wanted_.end(),
                       [&](const auto& wanted) { return wanted.first.starts_with(prefix); });
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens_[i].text = tokens[i];
    tokens_[i].may_follow_type = begins_one(tokens[i]);
    tokens_[i].may_begin = !tokens[i].empty() && begins_one(tokens[i].substr(1));
  }
}

void SymbolFilter::compare(std::span<const std::byte> compressed, std::uint32_t index) {
  std::array<char, max_name_bytes> text;  // NOLINT(*-member-init): filled below
  std::size_t length = 0;
  for (const std::byte number : compressed) {
    const std::string_view token = tokens_[std::to_integer<std::size_t>(number)].text;
    std::memcpy(text.data() + length, token.data(), token.size());
    length += token.size();
  }
  const std::string_view name(text.data() + 1, length - 1);
  auto wanted = std::lower_bound(
      wanted_.begin(), wanted_.end(), name,
      [](const auto& candidate, std::string_view value) { return candidate.first < value; });
  for (; wanted != wanted_.end() && wanted->first == name; ++wanted) {
    auto& place = found_[wanted->second];
    if (place) continue;
    place = index;
    --missing_;
  }
}

}  // namespace vitrine::kernel
