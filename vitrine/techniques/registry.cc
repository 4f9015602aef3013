#include <array>
#include <string>

#include "vitrine/techniques/adopt.h"
#include "vitrine/techniques/agent.h"
#include "vitrine/techniques/background_snapshot.h"
#include "vitrine/techniques/dump.h"
#include "vitrine/techniques/fork.h"
#include "vitrine/techniques/gdb.h"
#include "vitrine/techniques/libvirt.h"
#include "vitrine/techniques/libvirt_dump.h"
#include "vitrine/techniques/map.h"
#include "vitrine/techniques/migrate_file.h"
#include "vitrine/techniques/pmemsave.h"
#include "vitrine/techniques/proc_mem.h"
#include "vitrine/techniques/process_vm.h"
#include "vitrine/techniques/qmp.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::techniques {

std::span<const Technique* const> all() {
  static const Map map;
  static const Adopt adopt;
  static const ProcessVm process_vm;
  static const ProcMem proc_mem;
  static const Fork fork;
  static const BackgroundSnapshot background_snapshot;
  static const MigrateFile migrate_file;
  static const Dump dump;
  static const Pmemsave pmemsave;
  static const LibvirtDump libvirt_dump;
  static const Gdb gdb;
  static const QmpReads qmp;
  static const Libvirt libvirt;
  static const Agent agent;
  static const auto techniques = std::to_array<const Technique*>({
      &map,
      &adopt,
      &process_vm,
      &proc_mem,
      &fork,
      &background_snapshot,
      &migrate_file,
      &dump,
      &pmemsave,
      &libvirt_dump,
      &gdb,
      &qmp,
      &libvirt,
      &agent,
  });
  return techniques;
}

std::vector<std::string> Technique::steps(const vmm::Machine& /*machine*/,
                                          const vmm::RamLayout& /*layout*/) const {
  const Description& about = description();
  if (about.effect == Effect::passive) return {};
  return {"the guest's memory is read through " + std::string(about.access),
          "meanwhile: " + std::string(about.liveness),
          "what was changed is undone, by a process of its own if this one is killed"};
}

std::string_view name(Effect effect) {
  switch (effect) {
    case Effect::passive:
      return "passive";
    case Effect::intrusive:
      return "intrusive";
    case Effect::persistent:
      return "persistent";
  }
  return "passive";
}

base::Result<const Technique*> find(std::string_view id) {
  std::string known;
  for (const Technique* technique : all()) {
    if (technique->description().id == id) return technique;
    known += (known.empty() ? "" : ", ") + std::string(technique->description().id);
  }
  return base::fail(base::Code::invalid, "there is no technique \"" + std::string(id) + "\"",
                    "choose one of: " + known);
}

base::Result<const Technique*> choose(const vmm::Machine& machine, const vmm::RamLayout& layout,
                                      bool copied) {
  base::Error last{base::Code::unsupported, "no passive technique is usable on this VM"};
  for (const Technique* technique : all()) {
    if (technique->description().effect != Effect::passive) continue;
    // host::merged_pages says why.
    if (copied && technique->description().id == "process-vm") continue;
    auto usable = technique->usable(machine, layout);
    if (usable) return technique;
    last.message += "; " + std::string(technique->description().id) + ": " + usable.error().message;
    // A denial is what the user can mend; the other reasons are of the VM's own making.
    if (usable.error().code == base::Code::denied || last.remedy.empty()) {
      last.code = usable.error().code;
      last.remedy = usable.error().remedy;
    }
  }
  return base::fail(std::move(last));
}

}  // namespace vitrine::techniques
