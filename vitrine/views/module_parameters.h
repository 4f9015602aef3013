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
#include "vitrine/views/reader.h"
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

  bool read_value(Reader& reader, base::GuestVirtual operations, base::GuestVirtual at,
                  std::string& text) const;
  template <class Number, class Reader>
  static bool read_number(Reader& reader, base::GuestVirtual at, std::string& text);

  std::array<base::GuestVirtual, kKinds> operations_{};
  std::uint32_t parameters_ = 0, count_ = 0;  // in struct module
  std::uint32_t size_ = 0, name_ = 0, ops_ = 0, permissions_ = 0, argument_ = 0;
  Budget text_{64U << 20};  // bytes, of all modules
};

template <class Number, class Reader>
bool ModuleParameters::read_number(Reader& reader, base::GuestVirtual at, std::string& text) {
  Number value{};
  if (!reader.load(at, value)) return false;
  text += std::to_string(value);
  return true;
}

}  // namespace vitrine::views
