// Where members stand in the kernel's structures, from what was answered before or else from its
// BTF.
//
// Thread contract: as Tables. Cost: nothing where the answer is known; else that of Tables.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/kernel/answers.h"
#include "vitrine/kernel/tables.h"

namespace vitrine::kernel {

class TypeLookup {
 public:
  TypeLookup(std::shared_ptr<Tables> tables, std::shared_ptr<Answers> answers)
      : tables_(std::move(tables)), answers_(std::move(answers)) {}

  // As the functions of Types of these names; besides, the errors of reading the tables.
  base::Result<Member> member(std::string_view struct_name, std::string_view path) const;
  bool has_member(std::string_view struct_name, std::string_view path) const;
  base::Result<std::uint64_t> size_of(std::string_view struct_name) const;
  base::Result<std::int64_t> enum_value(std::string_view enum_name,
                                        std::string_view enumerator) const;

  // All types, for who wants more than members. Errors: as Tables::types.
  base::Result<const Types*> types() const { return tables_->types(); }

 private:
  std::shared_ptr<Tables> tables_;
  std::shared_ptr<Answers> answers_;
};

}  // namespace vitrine::kernel
