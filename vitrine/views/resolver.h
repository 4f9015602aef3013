// Collects where members are in a guest's own structures, and remembers the first that is missing,
// so that a view resolves all its fields and checks once.
//
// Thread contract: one thread at a time.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "vitrine/kernel/type_lookup.h"

namespace vitrine::views {

class Resolver {
 public:
  explicit Resolver(const kernel::TypeLookup& types) : types_(types) {}

  // The member's offset in bytes; 0 where it is missing.
  std::uint32_t operator()(std::string_view type, std::string_view path) {
    return static_cast<std::uint32_t>(member(type, path).offset);
  }
  // The first of several names that exists: structures change over time.
  std::uint32_t operator()(std::string_view type, std::initializer_list<std::string> paths) {
    for (const std::string& path : paths)
      if (types_.has_member(type, path)) return (*this)(type, path);
    return (*this)(type, *paths.begin());
  }

  kernel::Member member(std::string_view type, std::string_view path) {
    const auto found = types_.member(type, path);
    if (found) return *found;
    if (!error_) error_ = found.error();
    return {};
  }

  // The size of a structure in bytes; 0 where there is none.
  std::uint32_t size(std::string_view type) {
    const auto found = types_.size_of(type);
    if (found) return static_cast<std::uint32_t>(*found);
    if (!error_) error_ = found.error();
    return 0;
  }

  const std::optional<base::Error>& error() const { return error_; }

 private:
  const kernel::TypeLookup& types_;
  std::optional<base::Error> error_;
};

}  // namespace vitrine::views
