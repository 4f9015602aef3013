#include "vitrine/vmm/option_list.h"

#include <charconv>
#include <cmath>

#include "vitrine/base/json.h"

namespace vitrine::vmm {
namespace {

using Items = std::vector<std::pair<std::string, std::string>>;

// Takes the text up to the next single comma off the front, double commas made single.
std::string take_item(std::string_view& text) {
  std::string item;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == ',') {
      if (!text.starts_with(',')) break;
      text.remove_prefix(1);
    }
    item += c;
  }
  return item;
}

void flatten(const base::Json& value, const std::string& key, int depth, Items& items) {
  constexpr int kMaximumDepth = 8;
  constexpr std::size_t kMaximumKey = 256;  // QEMU's are far shorter; each value gets a copy
  if (key.size() > kMaximumKey) return;
  const std::string prefix = key.empty() ? key : key + ".";
  if (value.is_object() && depth < kMaximumDepth) {
    for (const auto& [name, member] : value.items()) {
      flatten(member, prefix + name, depth + 1, items);
    }
  } else if (value.is_array() && depth < kMaximumDepth) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      flatten(value[i], prefix + std::to_string(i), depth + 1, items);
    }
  } else if (value.is_string()) {
    items.emplace_back(key, value.get<std::string>());
  } else if (value.is_boolean()) {
    items.emplace_back(key, value.get<bool>() ? "on" : "off");
  } else if (value.is_number_unsigned()) {
    items.emplace_back(key, std::to_string(value.get<std::uint64_t>()));
  } else if (value.is_number_integer()) {
    items.emplace_back(key, std::to_string(value.get<std::int64_t>()));
  }
}

// The power of 1024 that a size suffix stands for, or nothing.
std::optional<unsigned> suffix_power(char suffix) {
  constexpr std::string_view kSuffixes = "bkmgtpe";
  const auto at = kSuffixes.find(static_cast<char>(suffix | 0x20));
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<unsigned>(at);
}

std::optional<std::uint64_t> scaled(double number, std::uint64_t unit) {
  const double bytes = number * static_cast<double>(unit);
  if (!(bytes >= 0) || bytes >= 0x1p64) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace

OptionList OptionList::parse(std::string_view text, std::string_view implied_key) {
  OptionList list;
  if (text.starts_with('{')) {
    const auto json = base::parse_json(text);
    if (!json.is_discarded()) flatten(json, {}, 0, list.items_);
    return list;
  }
  for (bool first = true; !text.empty(); first = false) {
    const std::string item = take_item(text);
    const auto equals = item.find('=');
    if (equals != std::string::npos) {
      list.items_.emplace_back(item.substr(0, equals), item.substr(equals + 1));
    } else if (first && !implied_key.empty()) {
      list.items_.emplace_back(implied_key, item);
    } else if (item.starts_with("no") && item.size() > 2) {
      list.items_.emplace_back(item.substr(2), "off");
    } else if (!item.empty()) {
      list.items_.emplace_back(item, "on");
    }
  }
  return list;
}

std::optional<std::string> OptionList::get(std::string_view key) const {
  for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
    if (item->first == key) return item->second;
  }
  return std::nullopt;
}

std::string OptionList::get_or(std::string_view key, std::string_view otherwise) const {
  return get(key).value_or(std::string(otherwise));
}

bool OptionList::on(std::string_view key) const {
  const auto value = get(key);
  return value && (*value == "on" || *value == "yes" || *value == "true" || *value == "y");
}

std::optional<std::uint64_t> OptionList::size(std::string_view key, std::uint64_t unit) const {
  const auto value = get(key);
  return value ? parse_size(*value, unit) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit) {
  const char* const end = text.data() + text.size();
  if (text.starts_with("0x") || text.starts_with("0X")) {
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data() + 2, end, value, 16);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return value;
  }
  if (!text.empty()) {
    if (const auto power = suffix_power(text.back())) {
      text.remove_suffix(1);
      unit = std::uint64_t{1} << (10 * *power);
    }
  }
  std::uint64_t whole = 0;
  const char* const digits_end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), digits_end, whole);
  if (parsed.ec != std::errc{}) return std::nullopt;
  if (parsed.ptr == digits_end) {
    if (whole != 0 && unit > UINT64_MAX / whole) return std::nullopt;
    return whole * unit;
  }
  double fraction = 0;
  const auto decimal = std::from_chars(text.data(), digits_end, fraction, std::chars_format::fixed);
  if (decimal.ec != std::errc{} || decimal.ptr != digits_end) return std::nullopt;
  return scaled(fraction, unit);
}

}  // namespace vitrine::vmm
