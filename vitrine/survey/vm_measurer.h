// Makes the runs of a survey on a VM: each attaches anew, as a user's command would.
//
// Thread contract: one thread. Effect on the guest: that of each cell's technique and pause.
#pragma once

#include <chrono>
#include <string>

#include "vitrine/session/session.h"
#include "vitrine/survey/runner.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::survey {

class VmMeasurer final : public Measurer {
 public:
  // `boot`: see boot_identity(). `shortest`: see run_time().
  VmMeasurer(vmm::Machine machine, std::string boot, std::chrono::nanoseconds shortest)
      : machine_(std::move(machine)), boot_(std::move(boot)), shortest_(shortest) {}

  // Errors: `gone` where the VM ended or its guest rebooted; as Session::open where it can't be
  // seen whether it did.
  base::Result<Run> measure(const Cell& cell) override;

 private:
  base::Result<void> look(const Cell& cell, Run& run) const;
  base::Result<void> check_guest() const;

  vmm::Machine machine_;
  std::string boot_;
  std::chrono::nanoseconds shortest_;
};

}  // namespace vitrine::survey
