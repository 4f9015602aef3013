// The guest's loaded kernel modules, named after lsmod: one row per module, the newest first.
//
// Thread contract: one thread at a time per object.
// Cost: some 30 loads a module, and 5 for each of its parameters and users.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "vitrine/views/module_list.h"
#include "vitrine/views/module_parameters.h"
#include "vitrine/views/view.h"

namespace vitrine::views {

class Modules final : public View {
 public:
  // Errors: the member or symbol that is missing; `absent` for a kernel without modules.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "modules"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  std::span<const GlobalGuard> global_guards() const override;
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return rows_.size(); }
  Row row(std::size_t index) const override { return rows_[index]; }

 private:
  enum ColumnIndex : unsigned {
    kName,
    kSize,
    kUsers,
    kUsedBy,
    kState,
    kTaints,
    kParameters,
    kAddress,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  struct Fields {
    std::uint32_t state = 0, taints = 0, references = 0, users = 0, init = 0, exit = 0;
    bool unloads = false;                // modules can be unloaded, and their users are counted
    std::vector<std::uint32_t> sizes{};  // of the parts that its memory consists of
    std::uint32_t use_link = 0, use_source = 0, name = 0;
  };

  Modules(ModuleList list, const ModuleParameters& parameters, Fields fields)
      : list_(std::move(list)), parameters_(parameters), fields_(std::move(fields)) {}

  static Fields resolve(Resolver& at, const kernel::TypeLookup& types);

  void collect_module(Reader& reader, const Module& module);
  bool read_size(Reader& reader, base::GuestVirtual module, std::uint64_t& bytes) const;
  bool read_users(Reader& reader, base::GuestVirtual module, std::string& users);

  ModuleList list_;
  ModuleParameters parameters_;
  Fields fields_;
  Budget users_{1U << 20};  // of all modules
  std::vector<Row> rows_;
};

}  // namespace vitrine::views
