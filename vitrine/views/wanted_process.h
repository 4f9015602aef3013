// The process that a view was asked for, if not for all of them; and, where the view then has no
// rows, why.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vitrine/views/processes.h"

namespace vitrine::views {

class WantedProcess {
 public:
  // `pid`: nothing for all processes.
  explicit WantedProcess(std::optional<std::int64_t> pid) : pid_(pid) {}

  bool is(const Process& process) {
    const bool wanted = !pid_ || process.pid == *pid_;
    found_ = found_ || wanted;
    return wanted;
  }

  // To be called once all processes were seen.
  void explain(bool has_rows, Outcome& outcome) const {
    if (!pid_ || has_rows || !outcome.complete) return;
    outcome.warnings.push_back(
        found_ ? "process " + std::to_string(*pid_) +
                     " has no memory of its own: it is one of the kernel's threads, or has exited"
               : "the guest has no process " + std::to_string(*pid_));
  }

 private:
  std::optional<std::int64_t> pid_;
  bool found_ = false;
};

}  // namespace vitrine::views
