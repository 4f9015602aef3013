#include "vitrine/kernel/tables.h"

#include <array>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::fail;

// Names that recognising a kernel, its facts and its most frequent views ask for: found together,
// since a pass over all names costs as much for one.
constexpr auto kOftenAsked = std::to_array<std::string_view>(
    {"vmcoreinfo_note", "page_offset_base", "_end", "jiffies_64", "__start_BTF", "__stop_BTF",
     "tk_core", "timekeeper_data", "__num_online_cpus", "nr_cpu_ids", "_totalram_pages",
     "saved_command_line", "iomem_resource", "init_task", "__per_cpu_offset", "task_statm",
     "__percpu_counter_sum", "net_namespace_list", "socket_file_ops"});

}  // namespace

base::Result<const Symbols*> Tables::symbols() {
  if (!symbols_) {
    paging::WalkedMemory walked(*space_.format, space_.root, *memory_);
    auto symbols = Symbols::read(walked, *info_);
    if (!symbols) return fail(symbols.error());
    symbols->remember(kOftenAsked);
    // A variable that every kernel has.
    has_functions_only_ = !symbols->find("init_task");
    if (has_functions_only_) find_variables(walked, *symbols);
    symbols_ = std::move(*symbols);
  }
  return &*symbols_;
}

base::Result<std::vector<std::optional<base::GuestVirtual>>> Tables::find(
    std::span<const std::string_view> names) {
  const auto symbols = this->symbols();
  if (!symbols) return fail(symbols.error());
  auto found = (*symbols)->find(names);
  for (std::size_t i = 0; has_functions_only_ && i < names.size(); ++i) {
    if (!found[i] && exports_) found[i] = exports_->find(names[i]);
    if (!found[i]) found[i] = info_->symbol(names[i]);
    const auto used = variables_.find(names[i]);
    if (!found[i] && used != variables_.end()) found[i] = used->second;
  }
  return found;
}

void Tables::find_variables(paging::WalkedMemory& walked, const Symbols& symbols) {
  if (auto exports = Exports::read(walked, symbols)) exports_ = std::move(*exports);
  if (architecture_ == Architecture::arm64) variables_ = variables_of_functions(walked, symbols);
}

base::Result<const Types*> Tables::types() {
  if (!types_) {
    if (memory_ == nullptr) return fail(base::Code::unsupported, "the kernel carries no BTF");
    auto symbols = this->symbols();
    if (!symbols) return fail(symbols.error());
    paging::WalkedMemory walked(*space_.format, space_.root, *memory_);
    auto types = Types::read(walked, **symbols);
    if (!types) return fail(types.error());
    types_ = std::move(*types);
  }
  return &*types_;
}

}  // namespace vitrine::kernel
