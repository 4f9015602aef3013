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

}  // namespace vitrine::views
