// Of which type a kernel's variables are. BTF tells it of per-CPU variables only; of some others,
// those that tools which look at memory begin with, it is known from the kernel's sources (the same
// in all versions from 5.10 on), and said only where the guest has a type of that name.
//
// Thread contract: immutable once made. Cost: one pass over all types.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "vitrine/kernel/types.h"

namespace vitrine::kernel {

struct VariableType {
  TypeId type;
  bool pointer = false;  // the variable is a pointer to it
};

class VariableTypes {
 public:
  // `types` outlives this object.
  explicit VariableTypes(const Types& types);

  std::optional<VariableType> find(std::string_view variable) const;

  // The variables that are known from the sources.
  static std::span<const std::string_view> known_names();

 private:
  std::vector<std::pair<std::string_view, VariableType>> variables_;  // sorted by name
};

}  // namespace vitrine::kernel
