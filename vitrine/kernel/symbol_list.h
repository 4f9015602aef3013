// All symbols of a kernel's kallsyms, decoded and in the order that is wanted: for who writes them
// to a file. Symbols itself keeps them compressed.
//
// Thread contract: one thread changes it, then any number may ask. Private memory: the names, some
// 2 MB for 100,000 symbols, and 16 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/result.h"
#include "vitrine/kernel/symbols.h"

namespace vitrine::kernel {

struct ListedSymbol {
  std::string_view name;  // hostile text
  char kind = '?';        // as nm(1) has it
  base::GuestVirtual address;
};

class SymbolList {
 public:
  static constexpr std::size_t max_name_bytes = 128U << 20;  // of all names together

  // Error: `inconsistent` where the names take more than max_name_bytes.
  static base::Result<SymbolList> of(const Symbols& symbols);

  void add(std::string_view name, char kind, base::GuestVirtual address);

  // Those at one address stay in the order in which they were added.
  void sort_by_address();
  // Of those with one name, global ones come first; else they stay in their order.
  void sort_by_name();

  std::size_t size() const { return entries_.size(); }
  // Valid until a symbol is added.
  ListedSymbol operator[](std::size_t index) const;

 private:
  struct Entry {
    std::uint64_t address = 0;
    std::uint32_t name = 0;  // where it begins in names_
    std::uint16_t length = 0;
    char kind = '?';
  };

  std::string_view name(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name, entry.length);
  }

  std::string names_;
  std::vector<Entry> entries_;
};

// Where the kernel was linked to have what it has at `running`, KASLR having moved it by `offset`.
// Per-CPU offsets and constants, in the lower half, are not moved.
base::GuestVirtual as_linked(base::GuestVirtual running, std::uint64_t offset);

}  // namespace vitrine::kernel
