#include "apps/cli/verbs/verb.h"

#include <unistd.h>

#include <utility>

namespace vitrine::cli {

void Target::add_to(Command& command) {
  command
      .option("VM", vm,
              "A VM: process id, name or QMP socket; or a memory image's path. pid:, name:, qmp: "
              "or file: before it decides; libvirt: before a name, or URI/NAME, means a libvirt "
              "daemon's domain")
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

void Target::add_demand_to(Command& command) {
  command.flag("--atomic", atomic,
               "Look until two collections in a row read the very same, so that all of it held at "
               "one instant; the guest runs on");
  command.flag(
      "--quiescent", quiescent,
      "The same, and only when no writer holds the kernel's locks that guard what is read");
  command
      .option(
          "--atomic-fallback", fallback,
          "--atomic, and where the guest changes too fast for it or for --quiescent: stop it, by "
          "vmm or freeze as for --pause, or copy it (fork)")
      .one_of({"none", "vmm", "freeze", "fork"});
}

consistency::Demand Target::demand() const {
  consistency::Demand demand;
  demand.atomic = atomic || fallback != "none";
  demand.quiescent = quiescent;
  return demand;
}

std::string not_reached(const consistency::Verdict& verdict, const consistency::Demand& demand) {
  using consistency::Atomic;
  const bool at_once = verdict.atomic == Atomic::unchanged || verdict.atomic == Atomic::proved;
  if (demand.quiescent && verdict.quiescent == consistency::Quiescent::unknown && at_once)
    return "whether a writer was at work is unknown: no lock guards this view, or not every one "
           "that does is understood in this kernel";
  if (!verdict.held.empty()) {
    std::string all;
    for (const std::string& name : verdict.held) all += (all.empty() ? "" : ", ") + name;
    return "a writer held these locks at each of " + std::to_string(verdict.collects) +
           " collections, at last: " + all;
  }
  return "the guest changed what was read during each of " + std::to_string(verdict.collects) +
         " collections; --atomic-fallback or --pause stop or copy it";
}

session::Options Target::options() const {
  using session::Fallback;
  using session::Pausing;
  return {.technique = technique,
          .pause = pause == "vmm"      ? Pausing::vmm
                   : pause == "freeze" ? Pausing::freeze
                                       : Pausing::none,
          .allow_persistent_change = allow_persistent_change,
          .use_cache = !no_cache,
          .demand = demand(),
          .fallback = fallback == "vmm"      ? Fallback::vmm
                      : fallback == "freeze" ? Fallback::freeze
                      : fallback == "fork"   ? Fallback::fork
                                             : Fallback::none};
}

base::Result<std::unique_ptr<session::Session>> Target::open() const {
  auto source = find_subject(vm);
  if (!source) return base::fail(source.error());
  return session::Session::open(std::move(*source), options());
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

KernelIdentity identity(const kernel::Kernel& kernel) { return {kernel.release, kernel.build_id}; }

}  // namespace vitrine::cli
