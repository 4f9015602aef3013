// A name for each type that a file about a kernel's types has to name: structures, unions,
// enumerations and base types, each unique among its kind. C lets many have none, and BTF holds
// different structures of one name, from different source files.
//
// A type has its own name if it is the first of that name, else an invented one that ends with its
// number in the BTF, which is the same for each boot of a kernel. No base type of a guest is called
// void or pointer: files have these besides.
//
// Thread contract: as Types, which outlives it. Cost: one pass over all types; 12 bytes for each
// that is named. Nothing in the BTF is believed: every chain is bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/kernel/types.h"

namespace vitrine::kernel {

class TypeNames {
 public:
  explicit TypeNames(const Types& types);

  // By name. Composite are structures, unions, and typedefs that alone name an anonymous one.
  const std::vector<TypeId>& base() const { return base_; }
  const std::vector<TypeId>& composites() const { return composites_; }
  const std::vector<TypeId>& enumerations() const { return enumerations_; }

  // What a declaration means: qualifiers and typedefs are looked through, except those typedefs
  // that alone name something; what is declared in advance is its definition. 0, as void, where
  // this leads nowhere.
  TypeId named(TypeId declared) const;

  // The name of one of the types above; nothing for any other.
  std::string name(TypeId type) const;

 private:
  std::string_view own_name(TypeId type) const;
  bool names_anonymous(TypeId alias) const;
  const std::vector<TypeId>* list_of(TypeId type) const;
  void sort(std::vector<TypeId>& list) const;
  // The first of the list that has this name; 0 if none has.
  TypeId first(const std::vector<TypeId>& list, std::string_view name) const;

  const struct btf* btf_;
  std::vector<TypeId> base_;
  std::vector<TypeId> composites_;
  std::vector<TypeId> enumerations_;
};

}  // namespace vitrine::kernel
