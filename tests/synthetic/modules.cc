#include "tests/synthetic/modules.h"

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t symbol_size = 24;  // Elf64_Sym

}  // namespace

GuestVirtual Modules::copy(std::string_view text) {
  const GuestVirtual at = kernel_.allocate(text.size() + 1);
  kernel_.write(at, text);
  return at;
}

GuestVirtual Modules::part(GuestVirtual module, std::uint64_t number) const {
  return kernel_.member(module, "module", "mem") +
         number * kernel_.types().size("struct module_memory");
}

void Modules::insert_after(GuestVirtual head, GuestVirtual node) {
  const GuestVirtual next(kernel_.get<std::uint64_t>(head));
  kernel_.put(node, next.value);
  kernel_.put(node + 8, head.value);
  kernel_.put(head, node.value);
  kernel_.put(next + 8, node.value);
}

GuestVirtual Modules::text(GuestVirtual module) const {
  if (kernel_.options().modules == ModuleMemory::several)
    return GuestVirtual(kernel_.value(part(module, 0), "module_memory", "base"));
  return GuestVirtual(kernel_.value(module, "module", "core_layout.base"));
}

void Modules::put_memory(GuestVirtual at, const Module& module) {
  const GuestVirtual memory = kernel_.allocate(module.size);
  if (kernel_.options().modules == ModuleMemory::several) {
    kernel_.set(part(at, 0), "module_memory", "base", memory.value);
    kernel_.set(part(at, 0), "module_memory", "size", module.size / 2);
    kernel_.set(part(at, 1), "module_memory", "size", module.size - module.size / 2);
    return;
  }
  kernel_.set(at, "module", "core_layout.base", memory.value);
  kernel_.set(at, "module", "core_layout.size", module.size);
  kernel_.set(at, "module", "core_layout.text_size", module.size / 2);
}

void Modules::put_symbols(GuestVirtual at, const Module& module) {
  std::string strings(1, '\0');
  const std::uint64_t count = module.functions.size() + 1;
  const GuestVirtual table = kernel_.allocate(count * symbol_size);
  for (std::size_t i = 0; i < module.functions.size(); ++i) {
    const GuestVirtual symbol = table + (i + 1) * symbol_size;
    kernel_.put(symbol, static_cast<std::uint32_t>(strings.size()));
    kernel_.put(symbol + 6, std::uint16_t{1});
    kernel_.put(symbol + 8, (text(at) + module.functions[i].offset).value);
    strings += module.functions[i].name + '\0';
  }
  const GuestVirtual kallsyms = kernel_.allocate(kernel_.types().size("struct mod_kallsyms"));
  kernel_.set(kallsyms, "mod_kallsyms", "symtab", table.value);
  kernel_.set(kallsyms, "mod_kallsyms", "num_symtab", count);
  kernel_.set(kallsyms, "mod_kallsyms", "strtab", copy(strings).value);
  kernel_.set(at, "module", "kallsyms", kallsyms.value);
}

void Modules::put_parameters(GuestVirtual at, const Module& module) {
  const std::uint64_t size = kernel_.types().size("struct kernel_param");
  const std::uint64_t count = module.numbers.size() + module.texts.size();
  const GuestVirtual parameters = kernel_.allocate(count * size + 1);
  GuestVirtual next = parameters;
  const auto put = [&](const std::string& name, const char* operations, GuestVirtual argument) {
    kernel_.set(next, "kernel_param", "name", copy(name).value);
    kernel_.set(next, "kernel_param", "perm", 0444);
    kernel_.set(next, "kernel_param", "ops", kernel_.symbol(operations).value);
    kernel_.set(next, "kernel_param", "arg", argument.value);
    next = next + size;
  };
  for (const auto& [name, value] : module.numbers) {
    const GuestVirtual argument = kernel_.allocate(4);
    kernel_.put(argument, value);
    put(name, "param_ops_int", argument);
  }
  for (const auto& [name, value] : module.texts) {
    const GuestVirtual argument = kernel_.allocate(8);
    kernel_.put(argument, copy(value).value);
    put(name, "param_ops_charp", argument);
  }
  kernel_.set(at, "module", "kp", parameters.value);
  kernel_.set(at, "module", "num_kp", count);
}

GuestVirtual Modules::add(const Module& module) {
  const GuestVirtual at = kernel_.allocate(kernel_.types().size("struct module"));
  kernel_.write(kernel_.member(at, "module", "name"), module.name + '\0');
  kernel_.set(at, "module", "state", module.state);
  kernel_.set(at, "module", "taints", module.taints);
  kernel_.set(at, "module", "refcnt.counter", static_cast<std::uint32_t>(module.references + 1));
  kernel_.set(at, "module", "exit", 1);
  const GuestVirtual users = kernel_.member(at, "module", "source_list");
  kernel_.put(users, users.value);
  kernel_.put(users + 8, users.value);
  put_memory(at, module);
  put_symbols(at, module);
  put_parameters(at, module);
  insert_after(kernel_.symbol("modules"), kernel_.member(at, "module", "list"));
  return at;
}

void Modules::use(GuestVirtual user, GuestVirtual used) {
  const GuestVirtual use = kernel_.allocate(kernel_.types().size("struct module_use"));
  kernel_.set(use, "module_use", "source", user.value);
  kernel_.set(use, "module_use", "target", used.value);
  insert_after(kernel_.member(used, "module", "source_list"),
               kernel_.member(use, "module_use", "source_list"));
}

}  // namespace vitrine::synthetic
