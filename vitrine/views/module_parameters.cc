#include "vitrine/views/module_parameters.h"

#include <algorithm>

namespace vitrine::views {

ModuleParameters ModuleParameters::attach(const kernel::Kernel& kernel, Resolver& at) {
  ModuleParameters found;
  const auto symbols = kernel.symbols.find(kOperations);
  for (std::size_t kind = 0; kind < kKinds; ++kind)
    found.operations_.at(kind) = symbols[kind].value_or(base::GuestVirtual());
  found.parameters_ = at("module", "kp");
  found.count_ = at("module", "num_kp");
  found.size_ = at.size("kernel_param");
  found.name_ = at("kernel_param", "name");
  found.ops_ = at("kernel_param", "ops");
  found.permissions_ = at("kernel_param", "perm");
  found.argument_ = at("kernel_param", "arg");
  return found;
}

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

}  // namespace vitrine::views
