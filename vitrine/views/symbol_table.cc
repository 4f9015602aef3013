#include "vitrine/views/symbol_table.h"

#include <array>
#include <string>

namespace vitrine::views {
namespace {

constexpr std::size_t kMostSymbols = 4 << 20;

enum Field : std::size_t { kAddress, kName, kOffset, kKind, kModule, kFields };

constexpr std::array<Column, kFields> kSymbolColumns{{
    {"address", Type::address, "where it is, guest-virtual, from kallsyms"},
    {"name", Type::text, "its name"},
    {"offset", Type::integer,
     "bytes from there to the address that was asked for; null where a name was asked for"},
    {"kind", Type::text,
     "the letter of nm: t code, d data, r read-only data, b zeroed data; capital where it is "
     "global; null of an address and in modules"},
    {"module", Type::text, "the module that it is of; null for the kernel itself"},
}};

}  // namespace

std::span<const Column> SymbolTable::declared_columns() { return kSymbolColumns; }

base::Result<std::unique_ptr<View>> SymbolTable::attach(const kernel::Kernel& kernel,
                                                        SymbolTableOptions options) {
  auto modules = ModuleList::attach(kernel);
  if (!modules) return base::fail(modules.error());
  return std::unique_ptr<View>(
      new SymbolTable(kernel.symbols, std::move(*modules), std::move(options)));
}

Outcome SymbolTable::collect(Reader& reader) {
  rows_.clear();
  Outcome outcome;
  if (!modules_.read(reader)) {
    outcome.complete = false;
    outcome.warnings.emplace_back("the guest's list of modules could not be read to its end");
  }
  if (options_.address)
    collect_one(reader);
  else
    collect_all(reader, outcome);
  return outcome;
}

void SymbolTable::collect_one(Reader& reader) {
  const auto function = modules_.function(reader, *options_.address);
  if (!function) return;
  add(function->name, *options_.address - function->offset, {},
      function->module.empty() ? Value() : Value(function->module));
  rows_.back().values[kOffset] = function->offset;
}

void SymbolTable::collect_all(Reader& reader, Outcome& outcome) {
  if (const auto symbols = symbols_.symbols()) {
    (*symbols)->for_each([this](std::string_view name, char kind, base::GuestVirtual address) {
      if (wanted(name)) add(name, address, std::string(1, kind), {});
    });
  } else {
    outcome.complete = false;
    outcome.warnings.push_back("the kernel's symbols cannot be read: " +
                               base::to_string(symbols.error()));
  }
  for (const Module& module : modules_.modules()) {
    const bool read = modules_.for_each_symbol(
        reader, module, [this, &module](const std::string& name, base::GuestVirtual address) {
          if (wanted(name)) add(name, address, {}, module.name);
        });
    if (read) continue;
    outcome.complete = false;
    outcome.warnings.push_back("the symbols of the module " + module.name + " cannot be read");
  }
}

void SymbolTable::add(std::string_view name, base::GuestVirtual address, Value kind, Value module) {
  if (rows_.size() >= kMostSymbols) return;
  rows_.push_back({{address.value, std::string(name), {}, std::move(kind), std::move(module)}, {}});
}

}  // namespace vitrine::views
