// The parameters of a kernel module with their values as they are now, read from the variables that
// they set.
//
// What kind of variable that is, a parameter's operations tell (include/linux/moduleparam.h): those
// of the kernel's own kinds are known by their symbols, others by nothing.
//
// Thread contract: one thread at a time. Cost: 5 loads a parameter.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/text.h"

namespace vitrine::views {

class ModuleParameters {
 public:
  static ModuleParameters attach(const kernel::Kernel& kernel, Resolver& at);

  // To be called when a collection begins.
  void begin() { text_.renew(); }

  // Appends "name=value" for each parameter, separated by blanks; "name=?" where its kind is not
  // known or its variable not there. Those that sysfs does not show are left out: their variables
  // may have been given back. False where the list can't be read, or is none.
  template <class Reader>
  bool read(Reader& reader, base::GuestVirtual module, std::string& text);

 private:
  static constexpr std::uint32_t kMost = 4096;
  static constexpr std::size_t kLongest = 1024;  // bytes of a text, as sysfs shows

  // In the order of kOperations.
  enum Kind : std::size_t {
    kBool,
    kInvertedBool,
    kByte,
    kShort,
    kUnsignedShort,
    kInt,
    kUnsignedInt,
    kLong,
    kUnsignedLong,
    kUnsignedLongLong,
    kText,
    kKinds
  };
  static constexpr std::array<std::string_view, kKinds> kOperations{
      "param_ops_bool",   "param_ops_invbool", "param_ops_byte", "param_ops_short",
      "param_ops_ushort", "param_ops_int",     "param_ops_uint", "param_ops_long",
      "param_ops_ulong",  "param_ops_ullong",  "param_ops_charp"};

  template <class Reader>
  bool read_value(Reader& reader, base::GuestVirtual operations, base::GuestVirtual at,
                  std::string& text) const;
  template <class Number, class Reader>
  static bool read_number(Reader& reader, base::GuestVirtual at, std::string& text);

  std::array<base::GuestVirtual, kKinds> operations_{};
  std::uint32_t parameters_ = 0, count_ = 0;  // in struct module
  std::uint32_t size_ = 0, name_ = 0, ops_ = 0, permissions_ = 0, argument_ = 0;
  Budget text_{64U << 20};  // bytes, of all modules
};

template <class Reader>
bool ModuleParameters::read(Reader& reader, base::GuestVirtual module, std::string& text) {
  base::GuestVirtual parameters;
  std::uint32_t count = 0;
  if (!reader.load(module + parameters_, parameters.value) || !reader.load(module + count_, count))
    return false;
  for (std::uint32_t i = 0; i < std::min(count, kMost); ++i) {
    const base::GuestVirtual parameter = parameters + std::uint64_t{i} * size_;
    base::GuestVirtual name;
    base::GuestVirtual operations;
    base::GuestVirtual argument;
    std::uint16_t permissions = 0;
    if (!reader.load(parameter + name_, name.value) ||
        !reader.load(parameter + ops_, operations.value) ||
        !reader.load(parameter + permissions_, permissions) ||
        !reader.load(parameter + argument_, argument.value))
      return false;
    if (permissions == 0) continue;
    std::string one;
    std::string value;
    if (!load_text(reader, name, kLongest, one)) return false;
    if (!read_value(reader, operations, argument, value)) value = "?";
    one += '=' + value;
    if (!text_.spend(one.size() + 64)) return false;
    if (!text.empty()) text += ' ';
    text += one;
  }
  return count <= kMost;
}

template <class Reader>
bool ModuleParameters::read_value(Reader& reader, base::GuestVirtual operations,
                                  base::GuestVirtual at, std::string& text) const {
  const auto kind =
      static_cast<std::size_t>(std::ranges::find(operations_, operations) - operations_.begin());
  switch (operations.value == 0 ? std::size_t{kKinds} : kind) {
    case kBool:
    case kInvertedBool: {
      std::uint8_t value = 0;
      if (!reader.load(at, value)) return false;
      text += (value != 0) == (kind == kBool) ? 'Y' : 'N';
      return true;
    }
    case kByte:
      return read_number<std::uint8_t>(reader, at, text);
    case kShort:
      return read_number<std::int16_t>(reader, at, text);
    case kUnsignedShort:
      return read_number<std::uint16_t>(reader, at, text);
    case kInt:
      return read_number<std::int32_t>(reader, at, text);
    case kUnsignedInt:
      return read_number<std::uint32_t>(reader, at, text);
    case kLong:
      return read_number<std::int64_t>(reader, at, text);
    case kUnsignedLong:
    case kUnsignedLongLong:
      return read_number<std::uint64_t>(reader, at, text);
    case kText: {
      base::GuestVirtual value;
      if (!reader.load(at, value.value)) return false;
      if (value.value != 0) return load_text(reader, value, kLongest, text);
      text += "(null)";
      return true;
    }
    default:
      text += '?';
      return true;
  }
}

template <class Number, class Reader>
bool ModuleParameters::read_number(Reader& reader, base::GuestVirtual at, std::string& text) {
  Number value{};
  if (!reader.load(at, value)) return false;
  text += std::to_string(value);
  return true;
}

}  // namespace vitrine::views
