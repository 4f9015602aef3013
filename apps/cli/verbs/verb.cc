#include "apps/cli/verbs/verb.h"

#include <unistd.h>

#include <algorithm>

namespace vitrine::cli {
namespace {

Atomic atomic_of(std::string_view verdict) {
  if (verdict == "proved") return Atomic::proved;
  if (verdict == "unchanged") return Atomic::unchanged;
  return verdict == "no" ? Atomic::no : Atomic::unknown;
}

Quiescent quiescent_of(std::string_view verdict) {
  if (verdict == "yes") return Quiescent::yes;
  return verdict == "no" ? Quiescent::no : Quiescent::unknown;
}

}  // namespace

void Target::add_to(Command& command) {
  command
      .option("VM", vm,
              "A VM: process id, name or QMP socket; pid:, name: or qmp: before it decides, "
              "libvirt: before a name, or URI/NAME, means a libvirt daemon's domain")
      .required();
  command.option("--technique", technique,
                 "How to read the guest's memory; auto: the best passive way that is usable "
                 "(see: vitrine techniques)");
  command.flag("--no-cache", no_cache, "Neither use nor keep hints about this VM on disk");
  command.flag("--json", json, "Print JSON");
}

void Target::add_pause_to(Command& command) {
  command
      .option("--pause", pause,
              "Stop the guest while it is looked at: vmm, through the VMM's monitor, which "
              "drains its disks too; freeze, by stopping the VMM's threads")
      .one_of({"none", "vmm", "freeze"});
  command.flag("--dry-run", dry_run,
               "Say what would be done to the VM, step by step, and why it would be refused; do "
               "nothing");
  command.flag("--allow-persistent-change", allow_persistent_change,
               "Let a technique be used that changes the VM for good (adopt)");
}

session::Options Target::options() const {
  using session::Pausing;
  return {.technique = technique,
          .pause = pause == "vmm"      ? Pausing::vmm
                   : pause == "freeze" ? Pausing::freeze
                                       : Pausing::none,
          .allow_persistent_change = allow_persistent_change,
          .use_cache = !no_cache};
}

Exit report(const base::Error& error, bool json) {
  (void)write_fully(STDERR_FILENO, json ? error_json(error) : error_text(error));
  return exit_of(error);
}

void warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    (void)write_fully(STDERR_FILENO, warning_text(warning));
}

Exit print(std::string_view text, Exit otherwise) {
  const auto written = write_fully(STDOUT_FILENO, text);
  return written ? otherwise : report(written.error(), false);
}

Exit worse(Exit one, Exit other) {
  if (one == Exit::complete) return other;
  if (other == Exit::complete) return one;
  return one == Exit::partial ? other : one;
}

VmIdentity identity(const vmm::Machine& machine, const std::string& spec) {
  VmIdentity vm;
  if (!machine.name.empty()) vm.name = machine.name;
  vm.pid = machine.process.pid;
  const bool decided = std::ranges::any_of(
      std::initializer_list<std::string_view>{"pid:", "name:", "qmp:", "libvirt:"},
      [&spec](std::string_view prefix) { return spec.starts_with(prefix); });
  if (decided)
    vm.source = spec;
  else if (spec == std::to_string(machine.process.pid))
    vm.source = "pid:" + spec;
  else
    vm.source = (spec == machine.name ? "name:" : "qmp:") + spec;
  return vm;
}

KernelIdentity identity(const kernel::Kernel& kernel) { return {kernel.release, kernel.build_id}; }

Provenance provenance_of(const session::Observation& observation) {
  return {
      observation.started,
      observation.duration_ns,
      observation.cost.reads,
      observation.cost.bytes,
      observation.stopped_ns,
      observation.drained_ns,
      {atomic_of(observation.consistency.atomic), quiescent_of(observation.consistency.quiescent),
       observation.consistency.collects, observation.consistency.held}};
}

}  // namespace vitrine::cli
