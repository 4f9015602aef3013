#include "vitrine/vmm/pause.h"

#include "vitrine/vmm/registers.h"

namespace vitrine::vmm {

bool resume(Qmp& qmp, std::string_view) {
  const auto state = run_state(qmp);
  if (!state) return state.error().code == base::Code::gone;
  if (state->running) return true;
  // Refused while QEMU is still busy with what stopped it, e.g. a migration being cancelled.
  return qmp.execute("cont").has_value();
}

namespace {

std::uint64_t elapsed_ns(std::chrono::steady_clock::time_point since) {
  const auto elapsed = std::chrono::steady_clock::now() - since;
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(elapsed).count());
}

}  // namespace

base::Result<Pause> Pause::begin(Intervention& intervention) {
  Pause pause;
  const auto state = run_state(intervention.qmp());
  if (!state) return base::fail(state.error());
  if (!state->running) {
    if (state->status == "paused" || state->status == "prelaunch" || state->status == "suspended" ||
        state->status == "shutdown" || state->status == "guest-panicked" ||
        state->status == "io-error" || state->status == "watchdog" || state->status == "debug")
      return pause;
    return base::fail(base::Code::unsupported,
                      "the VM can't be paused in its present state: " + state->status,
                      "wait until it runs");
  }
  auto noted = intervention.note(&resume);
  if (!noted) return base::fail(noted.error());
  pause.resume_ = std::move(*noted);
  pause.since_ = std::chrono::steady_clock::now();
  pause.ours_ = true;
  if (auto stopped = intervention.qmp().execute("stop"); !stopped)
    return base::fail(stopped.error());
  pause.stopping_ns_ = elapsed_ns(pause.since_);
  return pause;
}

base::Result<std::uint64_t> Pause::end() {
  if (!ours_) return 0;
  ours_ = false;
  if (auto resumed = resume_.undo(); !resumed) return base::fail(resumed.error());
  return elapsed_ns(since_);
}

}  // namespace vitrine::vmm
