// The kernel's note for crash dumps (kernel/crash_core.c, kernel/vmcore_info.c).

#include <fmt/format.h>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

void write_vmcoreinfo_note(Memory& memory, GuestPhysical page, std::string_view text) {
  memory.put(page, std::uint32_t{11});  // of the name with its zero
  memory.put(page + 4, static_cast<std::uint32_t>(text.size()));
  memory.put(page + 8, std::uint32_t{0});
  memory.write(page + 12, std::string_view("VMCOREINFO\0\0", 12));
  memory.write(page + 24, text);
}

void Kernel::write_vmcoreinfo() {
  const auto line = [&](const std::string& key, const std::string& value) {
    const auto changed = options_.vmcoreinfo_overrides.find(key);
    if (changed == options_.vmcoreinfo_overrides.end())
      vmcoreinfo_text_ += fmt::format("{}={}\n", key, value);
    else if (changed->second)
      vmcoreinfo_text_ += fmt::format("{}={}\n", key, *changed->second);
  };
  const auto symbol_line = [&](const std::string& name, GuestVirtual at) {
    line("SYMBOL(" + name + ")", fmt::format("{:x}", at.value));
  };
  line("OSRELEASE", options_.release);
  line("BUILD-ID", options_.build_id);
  line("PAGESIZE", "4096");
  symbol_line("init_uts_ns", symbol("init_uts_ns"));
  line("OFFSET(uts_namespace.name)", std::to_string(types_.offset("uts_namespace", "name")));
  symbol_line("swapper_pg_dir", symbol("swapper_pg_dir"));
  symbol_line("_stext", symbol("_stext"));
  line("SIZE(list_head)", "16");
  line("OFFSET(list_head.next)", "0");
  line("OFFSET(list_head.prev)", "8");
  if (options_.vmcoreinfo_names_kallsyms)
    for (const auto& [name, at] : kallsyms_tables_)
      if (name != "kallsyms_markers") symbol_line(name, at);
  line("NUMBER(phys_base)", std::to_string(phys_base()));
  symbol_line("init_top_pgt", symbol("swapper_pg_dir"));
  line("NUMBER(pgtable_l5_enabled)", options_.levels == 5 ? "1" : "0");
  line("KERNELOFFSET", fmt::format("{:x}", options_.kernel_offset));
  line("NUMBER(KERNEL_IMAGE_SIZE)", "1073741824");
  line("NUMBER(sme_mask)", "0");
  line("LENGTH(zone.free_area)", "11");
  line("NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", std::to_string(buddy_type(options_.pages)));
  // Not all of them are there; who wants the others has to ask the types.
  for (const auto& [name, number] : page_flags(options_.pages))
    if (name == "PG_lru" || name == "PG_private" || name == "PG_swapbacked")
      line("NUMBER(" + name + ")", std::to_string(number));
  vmcoreinfo_page_ = frames_.take();
  write_vmcoreinfo_note(memory_, *vmcoreinfo_page_, vmcoreinfo_text_);
  put(symbol("vmcoreinfo_note"), direct(*vmcoreinfo_page_).value);
}

}  // namespace vitrine::synthetic
