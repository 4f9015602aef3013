// A value of the guest's memory as its type says: what `print` shows.
//
// The bytes of the whole value are fetched once and then decoded, so that all of it is of one read;
// pages that are not there leave gaps.
//
// Thread contract: as the memory. Bounded: kMostBytes read, kMostValues decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/type_catalog.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

struct TypedValue {
  struct Pointer {
    std::uint64_t address = 0;
    bool to_function = false;
  };
  struct Enumerated {
    std::int64_t value = 0;
    std::string name;  // empty: none has that value
  };
  struct Group {
    bool is_array = false;
    std::vector<TypedValue> parts;
    std::uint64_t left_out = 0;  // parts of an array beyond the bound
  };
  struct Missing {
    base::Error why;
  };

  std::string name;  // of the member; empty: anonymous, or an element
  std::string type;  // as C writes it
  // monostate: a type that holds nothing that could be shown; text: an array of characters up to
  // its zero byte, hostile.
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::string, Pointer, Enumerated,
               Group, Missing>
      value;
};

inline constexpr std::uint64_t kMostBytes = 1 << 20;
inline constexpr std::size_t kMostValues = 100'000;
inline constexpr std::size_t kMostElements = 256;  // of an array that are shown

// Reads the value of that type at `address`; a bit field where `member` says so. Errors: `invalid`
// for a type without a size or larger than kMostBytes. What cannot be read is Missing within.
base::Result<TypedValue> read_value(const TypeCatalog& types, memory::VirtualMemory& memory,
                                    const LayoutMember& member, base::GuestVirtual address);

}  // namespace vitrine::kernel
