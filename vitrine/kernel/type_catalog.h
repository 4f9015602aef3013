// The types of a kernel's BTF as C shows them: how they are named, laid out and made of each other.
// For people who look at structures; views resolve members with TypeLookup instead.
//
// Thread contract: as Types, which outlives it. Nothing in the BTF is believed: every chain and
// every nesting is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/types.h"

namespace vitrine::kernel {

enum class TypeKind : std::uint8_t {
  nothing,  // void, or a type that is declared and never defined
  integer,
  boolean,
  character,
  floating,
  pointer,
  array,
  structure,
  union_type,
  enumeration,
  function,
};

// What a type is, its typedefs and qualifiers looked through.
struct TypeShape {
  TypeKind kind = TypeKind::nothing;
  TypeId plain;             // without typedefs and qualifiers
  std::uint64_t size = 0;   // bytes; 0 where it has none
  bool is_signed = false;   // of integers and enumerations
  TypeId target;            // what a pointer leads to, or the element of an array
  std::uint32_t count = 0;  // elements of an array; 0 for a flexible one
};

struct LayoutMember {
  std::string name;              // empty: an anonymous structure or union
  TypeId type;                   // as declared
  std::uint64_t offset = 0;      // bytes, within the structure; of a bit field's storage unit
  std::uint64_t size = 0;        // bytes
  std::uint32_t bit_offset = 0;  // of a bit field: bits from the storage unit's lowest
  std::uint32_t bit_size = 0;    // of a bit field; 0 for any other member
};

struct Enumerator {
  std::string name;
  std::int64_t value = 0;
};

class TypeCatalog {
 public:
  // Names are cut here: thousands of members may share one that is as long as all of the BTF.
  static constexpr std::size_t max_name_bytes = 512;

  explicit TypeCatalog(const Types& types) : types_(&types) {}

  // By its name in C: "task_struct", "struct page", "union u", "enum pid_type", "pid_t", "unsigned
  // long"; without a word before it, a structure or union goes before a typedef, that before an
  // enumeration and a base type. Error: `absent`.
  base::Result<TypeId> find(std::string_view name) const;

  TypeShape shape(TypeId type) const;
  // The same without what has to be searched for, the sign of an enumeration.
  TypeKind kind(TypeId type) const;

  // As C writes it, e.g. "struct list_head", "char [16]", "const char *", "void (*)()".
  std::string text(TypeId type) const;

  // Of a structure or union, in the order of the BTF; empty for anything else. Members whose place
  // makes no sense are left out.
  std::vector<LayoutMember> members(TypeId type) const;

  std::vector<Enumerator> enumerators(TypeId type) const;

 private:
  std::string text(std::uint32_t id, int depth) const;

  const Types* types_;
};

}  // namespace vitrine::kernel
