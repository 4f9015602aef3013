#include "vitrine/kernel/symbol_list.h"

#include <algorithm>
#include <limits>

namespace vitrine::kernel {
namespace {

constexpr std::uint64_t kUpperHalf = std::uint64_t{1} << 63;

bool is_global(char kind) { return kind >= 'A' && kind <= 'Z'; }

}  // namespace

base::Result<SymbolList> SymbolList::of(const Symbols& symbols) {
  SymbolList list;
  list.entries_.reserve(symbols.count());
  bool too_long = false;
  symbols.for_each([&](std::string_view name, char kind, base::GuestVirtual address) {
    too_long = too_long || name.size() > max_name_bytes - list.names_.size();
    if (!too_long) list.add(name, kind, address);
  });
  if (too_long)
    return base::fail(base::Code::inconsistent,
                      "the names in the guest's kallsyms take more than " +
                          std::to_string(max_name_bytes >> 20) + " MiB");
  return list;
}

void SymbolList::add(std::string_view name, char kind, base::GuestVirtual address) {
  name = name.substr(0, std::numeric_limits<std::uint16_t>::max());
  entries_.push_back({address.value, static_cast<std::uint32_t>(names_.size()),
                      static_cast<std::uint16_t>(name.size()), kind});
  names_ += name;
}

void SymbolList::sort_by_address() { std::ranges::stable_sort(entries_, {}, &Entry::address); }

void SymbolList::sort_by_name() {
  std::ranges::stable_sort(entries_, [this](const Entry& a, const Entry& b) {
    const int order = name(a).compare(name(b));
    return order != 0 ? order < 0 : is_global(a.kind) && !is_global(b.kind);
  });
}

ListedSymbol SymbolList::operator[](std::size_t index) const {
  const Entry& entry = entries_[index];
  return {name(entry), entry.kind, base::GuestVirtual(entry.address)};
}

base::GuestVirtual as_linked(base::GuestVirtual running, std::uint64_t offset) {
  return running.value >= kUpperHalf ? running - offset : running;
}

}  // namespace vitrine::kernel
