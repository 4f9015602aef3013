#include "vitrine/kernel/variable_types.h"

#include <bpf/btf.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "vitrine/kernel/type_catalog.h"

namespace vitrine::kernel {
namespace {

struct Known {
  std::string_view variable;
  std::string_view type;  // as TypeCatalog::find takes it
  bool pointer = false;
};

// unsigned long is written as u64: compilers call it by different names, all kernels have u64.
constexpr auto kKnown = std::to_array<Known>({
    {"_totalram_pages", "atomic_long_t"},
    {"cap_last_cap", "int"},
    {"ftrace_ops_list", "struct ftrace_ops", true},
    {"init_cred", "struct cred"},
    {"init_files", "struct files_struct"},
    {"init_fs", "struct fs_struct"},
    {"init_ipc_ns", "struct ipc_namespace"},
    {"init_mm", "struct mm_struct"},
    {"init_net", "struct net"},
    {"init_nsproxy", "struct nsproxy"},
    {"init_pid_ns", "struct pid_namespace"},
    {"init_task", "struct task_struct"},
    {"init_user_ns", "struct user_namespace"},
    {"init_uts_ns", "struct uts_namespace"},
    {"iomem_resource", "struct resource"},
    {"ioport_resource", "struct resource"},
    {"jiffies_64", "u64"},
    {"keyboard_notifier_list", "struct atomic_notifier_head"},
    {"log_buf", "char", true},
    {"log_buf_len", "u32"},
    {"mod_tree", "struct mod_tree_root"},
    {"module_kset", "struct kset", true},
    {"modules", "struct list_head"},
    {"net_namespace_list", "struct list_head"},
    {"nr_cpu_ids", "u32"},
    {"page_offset_base", "u64"},
    {"phys_base", "u64"},
    {"prb", "struct printk_ringbuffer", true},
    {"prog_idr", "struct idr"},
    {"saved_command_line", "char", true},
    {"socket_file_ops", "struct file_operations"},
    {"sockfs_dentry_operations", "struct dentry_operations"},
    {"super_blocks", "struct list_head"},
    {"tty_drivers", "struct list_head"},
    {"vmalloc_base", "u64"},
    {"vmemmap_base", "u64"},
});

constexpr auto kVariableNames = [] {
  std::array<std::string_view, kKnown.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kKnown[i].variable;
  return names;
}();

}  // namespace

std::span<const std::string_view> VariableTypes::known_names() { return kVariableNames; }

// What the guest says of a variable goes before what the sources say.
VariableTypes::VariableTypes(const Types& types) {
  const struct btf* const btf = types.handle();
  const std::uint32_t count = btf__type_cnt(btf);
  for (std::uint32_t id = 1; id < count; ++id) {
    const btf_type* const type = btf__type_by_id(btf, id);
    if (!btf_is_var(type)) continue;
    const char* const name = btf__name_by_offset(btf, type->name_off);
    if (name != nullptr && strnlen(name, TypeCatalog::max_name_bytes) < TypeCatalog::max_name_bytes)
      variables_.push_back({name, {TypeId{type->type}}});
  }
  const TypeCatalog catalog(types);
  for (const Known& known : kKnown)
    if (const auto type = catalog.find(known.type))
      variables_.push_back({known.variable, {*type, known.pointer}});
  std::ranges::stable_sort(variables_, {}, [](const auto& entry) { return entry.first; });
}

std::optional<VariableType> VariableTypes::find(std::string_view variable) const {
  const auto found = std::ranges::lower_bound(variables_, variable, {},
                                              [](const auto& entry) { return entry.first; });
  if (found == variables_.end() || found->first != variable) return std::nullopt;
  return found->second;
}

}  // namespace vitrine::kernel
