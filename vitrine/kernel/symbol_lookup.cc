#include "vitrine/kernel/symbol_lookup.h"

#include <charconv>
#include <string>

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;

// Where KASLR moves symbols along with the kernel: the upper half. Below are per-CPU offsets and
// constants, which stay what they are.
constexpr std::uint64_t kKernelHalf = std::uint64_t{1} << 63;

std::string question(std::string_view name) { return "symbol " + std::string(name); }

std::uint64_t number(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

// "+HEX" from _stext, "=HEX" as it is, nothing where there is no such symbol.
std::string SymbolLookup::written(std::optional<GuestVirtual> address) const {
  if (!address) return {};
  const bool moves = address->value >= kKernelHalf;
  const std::uint64_t value = moves ? address->value - text_.value : address->value;
  return (moves ? "+" : "=") + base::to_hex(value).substr(2);
}

std::optional<GuestVirtual> SymbolLookup::parsed(std::string_view answer) const {
  if (answer.empty()) return std::nullopt;
  const std::uint64_t value = number(answer.substr(1));
  return GuestVirtual(answer.front() == '+' ? text_.value + value : value);
}

std::optional<GuestVirtual> SymbolLookup::find(std::string_view name) const {
  return find(std::span(&name, 1)).front();
}

std::vector<std::optional<GuestVirtual>> SymbolLookup::find(
    std::span<const std::string_view> names) const {
  std::vector<std::optional<GuestVirtual>> addresses;
  addresses.reserve(names.size());
  for (const std::string_view name : names) {
    const auto answer = answers_->find(question(name));
    if (!answer) break;
    addresses.push_back(parsed(*answer));
  }
  if (addresses.size() == names.size()) return addresses;
  auto found = tables_->find(names);
  if (!found) return std::vector<std::optional<GuestVirtual>>(names.size());
  addresses = std::move(*found);
  for (std::size_t i = 0; i < names.size(); ++i)
    answers_->add(question(names[i]), written(addresses[i]));
  return addresses;
}

std::optional<GuestVirtual> SymbolLookup::next_address_after(GuestVirtual wanted) const {
  const std::string asked = "after " + written(wanted);
  if (const auto answer = answers_->find(asked)) return parsed(*answer);
  const auto symbols = tables_->symbols();
  if (!symbols) return std::nullopt;
  const auto next = (*symbols)->next_address_after(wanted);
  answers_->add(asked, written(next));
  return next;
}

std::optional<SymbolHit> SymbolLookup::containing(GuestVirtual wanted) const {
  const std::string asked = "at " + written(wanted);
  // "ADDRESS NAME", as written() writes the address; nothing where there is none.
  if (const auto answer = answers_->find(asked)) {
    const std::size_t space = answer->find(' ');
    if (space == std::string::npos) return std::nullopt;
    const auto start = parsed(std::string_view(*answer).substr(0, space));
    if (!start) return std::nullopt;
    return SymbolHit{answer->substr(space + 1), *start, wanted - *start};
  }
  const auto symbols = tables_->symbols();
  if (!symbols) return std::nullopt;
  auto hit = (*symbols)->containing(wanted);
  if (answers_->keeps_all())
    answers_->add(asked, hit ? written(hit->address) + ' ' + hit->name : std::string());
  return hit;
}

std::optional<GuestVirtual> SymbolLookup::names() const {
  if (const auto answer = answers_->find("names")) return parsed(*answer);
  const auto symbols = tables_->symbols();
  if (!symbols) return std::nullopt;
  const GuestVirtual names = (*symbols)->raw().names_address;
  answers_->add("names", written(names));
  return names;
}

std::uint32_t SymbolLookup::count() const {
  if (const auto answer = answers_->find("symbols"))
    return static_cast<std::uint32_t>(number(*answer));
  const auto symbols = tables_->symbols();
  if (!symbols) return 0;
  answers_->add("symbols", base::to_hex((*symbols)->count()).substr(2));
  return (*symbols)->count();
}

}  // namespace vitrine::kernel
