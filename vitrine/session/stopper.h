// Stops a VM for one observation after the other, in the way that the options ask for, and tells
// whether what is read meanwhile is proved to be of one instant.
//
// Thread contract: one thread at a time. Effect on the guest: it stands still between stop() and
// release(), see vmm/pause.h and host/freezer.h; a VM that was paused before stays so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/host/freezer.h"
#include "vitrine/session/attach.h"
#include "vitrine/vmm/intervention.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/pause.h"

namespace vitrine::session {

class Stopper {
 public:
  explicit Stopper(Pausing how) : how_(how) {}

  // What stop() and release() would do, step by step, in words for people, and whether they could,
  // as far as that can be told. No effect on the VM.
  struct Plan {
    std::vector<std::string> steps;
    std::vector<std::string> doubts;  // why what is read would not be proved to be of one instant
    std::optional<base::Error> refused;
  };
  static Plan plan(Pausing how, const vmm::Machine& machine, const vmm::RamLayout& layout);

  // Stops the VM, unless nothing is to be stopped. `of_access`: the connection to the monitor that
  // the access occupies, or null. Errors: as vmm::Pause::begin and host::Freezer::freeze.
  base::Result<void> stop(const vmm::Machine& machine, const vmm::RamLayout& layout,
                          vmm::Intervention* of_access);

  // Lets it go on. How long it stood still because of us, in nanoseconds; 0 if nothing was stopped.
  // Errors: as vmm::Pause::end and host::Freezer::thaw; what was read meanwhile is then not of one
  // instant.
  base::Result<std::uint64_t> release();

  // How much of the last stop went by until the VM's disks were at rest, in nanoseconds.
  std::uint64_t drained_ns() const { return drained_ns_; }

  bool stopped() const { return stopped_; }
  // Why memory may have changed though the VM was stopped last; empty where that is ruled out.
  const std::vector<std::string>& writers() const { return writers_; }

  // The connection to the monitor that this occupies, or null.
  vmm::Intervention* intervention() { return intervention_.get(); }
  // Lets go of what was prepared; the VM must not be stopped.
  void reset();

 private:
  base::Result<void> pause(const vmm::Machine& machine, vmm::Intervention* of_access);
  base::Result<void> freeze(const vmm::Machine& machine, const vmm::RamLayout& layout);

  Pausing how_;
  bool stopped_ = false;
  std::unique_ptr<vmm::Intervention> intervention_;
  std::optional<vmm::Pause> pause_;
  std::optional<host::Freezer> freezer_;
  std::vector<std::string> writers_;
  std::uint64_t drained_ns_ = 0;
};

}  // namespace vitrine::session
