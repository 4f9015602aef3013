// Changes made to a VM through its monitor, each undone: when its Change goes out of scope, or, if
// this process dies before that, by a guardian process (host/guardian.h) over the same connection.
//
// Thread contract: one thread at a time. Effect on the guest: none of its own; the connection
// occupies the monitor's socket until this is destroyed.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "vitrine/base/result.h"
#include "vitrine/host/guardian.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/qmp.h"

namespace vitrine::vmm {

// Undoes one change; true when nothing is left to undo, false to be called again soon. It may run
// in another process and after any part of the change, even none, so that it must be harmless then
// and needs nothing but `argument`.
using Undo = bool (*)(Qmp& qmp, std::string_view argument);

class Intervention;

// A change that was made, or is about to be.
class Change {
 public:
  Change() = default;
  Change(Change&& other) noexcept;
  Change& operator=(Change&& other) noexcept;
  ~Change();

  // Undoes it now. Error: `timeout`; the guardian tries again when this process ends.
  base::Result<void> undo();

 private:
  friend class Intervention;
  Change(host::Guardian& guardian, std::size_t noted) : guardian_(&guardian), noted_(noted) {}

  host::Guardian* guardian_ = nullptr;  // null: nothing is left to undo
  std::size_t noted_ = 0;
};

class Intervention {
 public:
  // Connects to the VM's monitor and starts the guardian. Errors: as open_qmp and the guardian's.
  static base::Result<std::unique_ptr<Intervention>> begin(const Machine& machine,
                                                           const QmpLimits& limits = {});
  // The same on a connection that exists.
  static base::Result<std::unique_ptr<Intervention>> begin(Qmp qmp);

  Qmp& qmp() { return qmp_; }

  // Notes what undoes a change: to be called before the change is made. `argument` holds at most
  // kMaximumArgument bytes. The Change must not outlive this object. Errors: as Guardian::note.
  base::Result<Change> note(Undo undo, std::string_view argument = {});

  static constexpr std::size_t kMaximumArgument = host::Guardian::kMaximumArgument - 64;

 private:
  struct Noted;

  explicit Intervention(Qmp qmp);
  static bool step(std::string_view argument);
  base::Result<void> take_over();

  Qmp qmp_;
  pid_t owner_;  // the process that owns the connection; another one is the guardian
  std::unique_ptr<host::Guardian> guardian_;
};

}  // namespace vitrine::vmm
