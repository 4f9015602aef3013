// What a view declares of itself: its columns with types, and a value of any of these types.
// Tables, JSON and the documentation are made from the declaration, never from a view's own struct.
//
// Thread contract: plain values and immutable declarations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vitrine/base/result.h"

namespace vitrine::views {

// monostate: the value does not exist, or could not be read and is then named in the row's errors.
using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, std::string>;

enum class Type {
  integer,  // int64 or uint64
  boolean,
  text,         // bytes of the guest: hostile, perhaps not UTF-8
  bytes,        // a size in bytes; tables show it in KiB, MiB, …
  nanoseconds,  // a time; tables show it in seconds
  address,      // guest address, hex
};

struct Column {
  std::string_view name;  // as in JSON
  Type type = Type::integer;
  std::string_view description = {};  // one sentence, with unit and source
  bool statistic = false;             // changes all the time without the row meaning something else
  std::string_view heading = {};      // of a table; empty: the name in upper case without its unit
  bool on_demand = false;             // collected only where it is asked for, see View::want
};

// Why one field of one row is null.
struct FieldError {
  std::string_view field;
  base::Code code = base::Code::unreadable;
  std::string message;
};

struct Row {
  std::vector<Value> values;  // one per column
  std::vector<FieldError> errors;
};

}  // namespace vitrine::views
