// The types of a kernel as Volatility 3's Intermediate Symbol Format has them: see isf.h.
//
// Thread contract: as kernel::Types, which outlives it. Nothing in the BTF is believed: a chain of
// pointers and arrays that does not end is void, names that come twice count once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "vitrine/images/text_output.h"
#include "vitrine/kernel/type_catalog.h"
#include "vitrine/kernel/type_names.h"
#include "vitrine/kernel/variable_types.h"

namespace vitrine::images {

class IsfTypes {
 public:
  explicit IsfTypes(const kernel::Types& types);

  // How a declaration refers to its type, e.g. {"kind":"struct","name":"list_head"}. Whatever it
  // names is written by one of the functions below.
  std::string reference(kernel::TypeId declared) const;
  std::string reference(const kernel::VariableType& variable) const;

  // The members of the objects of these names, without the braces around them.
  void write_base_types(TextOutput& output) const;
  void write_user_types(TextOutput& output) const;
  void write_enums(TextOutput& output) const;

  std::size_t user_types() const { return names_.composites().size(); }
  std::size_t enums() const { return names_.enumerations().size(); }

 private:
  // Nothing where the member cannot be told.
  std::string member(const kernel::LayoutMember& member) const;
  void write_user_type(kernel::TypeId type, TextOutput& output) const;
  void write_enum(kernel::TypeId type, TextOutput& output) const;

  kernel::TypeCatalog catalog_;
  kernel::TypeNames names_;
  using SizeAndSign = std::pair<std::uint64_t, bool>;
  std::map<SizeAndSign, std::string> integers_;  // the first of each
};

}  // namespace vitrine::images
