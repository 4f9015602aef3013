// A migration of the VM into a pipe, of which only the RAM is wanted: what has to be set for it,
// and setting all of that back.
//
// Thread contract: one thread at a time. Effect on the guest: an ordinary migration goes on until
// the guest, which has to be stopped, is sent whole, and leaves it in the state "postmigrate", from
// which it can go on. A background snapshot stops it for some milliseconds. It must not be ended
// before it is whole: QEMU (7.2) would leave the RAM write-protected, and the guest would hang. So
// it is waited for instead, its descriptor must be one that takes all of it (see StreamDrain), and
// where it fails all the same, the write protection is released from outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "vitrine/base/result.h"
#include "vitrine/vmm/intervention.h"

namespace vitrine::techniques {

// Error: `unsupported` while a migration of the VM is under way; as Qmp.
base::Result<void> no_migration_under_way(vmm::Qmp& qmp);

enum class MigrationKind { ordinary, background_snapshot };

class Migration {
 public:
  // Whether the VM can be migrated now and be afterwards as it was before. Errors: `unsupported`
  // with the cause and the remedy.
  static base::Result<void> possible(vmm::Qmp& qmp, MigrationKind kind);

  // Sets what `kind` needs and starts migrating the VM of process `pid` into `descriptor`. Errors:
  // QEMU's refusals.
  static base::Result<Migration> start(vmm::Intervention& intervention, pid_t pid, int descriptor,
                                       MigrationKind kind);

  // The most bytes that a migration can send: every page of every RAM block, its heads, and the
  // devices' state. Errors: as Qmp; `unsupported` where QEMU does not list its blocks.
  static base::Result<std::uint64_t> most_bytes(vmm::Qmp& qmp);

  // Whether it has completed. Errors: with QEMU's words where it failed or was cancelled.
  base::Result<bool> completed();

  // How long the guest was stopped, as QEMU says once it has completed; it counts in milliseconds.
  std::uint64_t downtime_ns() const { return downtime_ns_; }

  // Cancels what still runs, or waits for a background snapshot, and sets back what was set.
  // Errors: as Change::undo.
  base::Result<void> end();

 private:
  explicit Migration(vmm::Qmp& qmp) : qmp_(&qmp) {}

  base::Result<void> set_capabilities(vmm::Intervention& intervention, MigrationKind kind);
  base::Result<void> set_parameters(vmm::Intervention& intervention);

  vmm::Qmp* qmp_;
  std::uint64_t downtime_ns_ = 0;
  // Undone in the reverse order, at the latest when this is destroyed.
  vmm::Change capabilities_;
  vmm::Change parameters_;
  vmm::Change descriptor_;
  vmm::Change running_;
};

}  // namespace vitrine::techniques
