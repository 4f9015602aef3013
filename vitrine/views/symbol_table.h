// The symbols of the guest's kernel and of its modules, as /proc/kallsyms: those whose name fits,
// or the one that an address belongs to.
//
// Kernel symbols come from its kallsyms, which do not change; those of modules from the list
// `modules`, see module_list.h.
//
// Thread contract: one thread at a time per object. Cost: all names decoded, some milliseconds for
// 100,000; for each module its own table read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "vitrine/views/module_list.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

struct SymbolTableOptions {
  std::function<bool(std::string_view name)> wanted = {};  // empty: every symbol
  std::optional<base::GuestVirtual> address = {};          // only the symbol that it belongs to
};

class SymbolTable final : public View {
 public:
  // Errors: those of the kernel's tables; the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    SymbolTableOptions options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "kernel_symbols"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  SymbolTable(kernel::SymbolLookup symbols, ModuleList modules, SymbolTableOptions options)
      : symbols_(std::move(symbols)), modules_(std::move(modules)), options_(std::move(options)) {}

  void collect_one(Reader& reader);
  void collect_all(Reader& reader, Outcome& outcome);
  void add(std::string_view name, base::GuestVirtual address, Value kind, Value module);
  bool wanted(std::string_view name) const { return !options_.wanted || options_.wanted(name); }

  kernel::SymbolLookup symbols_;
  ModuleList modules_;
  SymbolTableOptions options_;
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
