// The kernel's symbols by name, from what was answered before or else from its tables.
//
// Thread contract: as Tables. Cost: nothing where the answer is known; else that of Tables and of
// one pass over all names, so ask for all at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/kernel/answers.h"
#include "vitrine/kernel/tables.h"

namespace vitrine::kernel {

class SymbolLookup {
 public:
  SymbolLookup(std::shared_ptr<Tables> tables, std::shared_ptr<Answers> answers,
               base::GuestVirtual text)
      : tables_(std::move(tables)), answers_(std::move(answers)), text_(text) {}

  // The address of the first symbol of exactly this name; nullopt where there is none, or where
  // the tables could not be read.
  std::optional<base::GuestVirtual> find(std::string_view name) const;

  // The same for each of `names`, in their order.
  std::vector<std::optional<base::GuestVirtual>> find(
      std::span<const std::string_view> names) const;

  // The lowest address of a symbol above `wanted`: the end of what begins there.
  std::optional<base::GuestVirtual> next_address_after(base::GuestVirtual wanted) const;

  // The symbol that an address belongs to; from the tables, unless all answers are kept.
  std::optional<SymbolHit> containing(base::GuestVirtual wanted) const;

  // All symbols, for who goes through them. Errors: as Tables::symbols.
  base::Result<const Symbols*> symbols() const { return tables_->symbols(); }
  // Where the names of the symbols begin; nullopt where the tables could not be read.
  std::optional<base::GuestVirtual> names() const;

  // How many symbols there are; 0 where the tables could not be read.
  std::uint32_t count() const;

 private:
  std::string written(std::optional<base::GuestVirtual> address) const;
  std::optional<base::GuestVirtual> parsed(std::string_view answer) const;

  std::shared_ptr<Tables> tables_;
  std::shared_ptr<Answers> answers_;
  base::GuestVirtual text_;
};

}  // namespace vitrine::kernel
