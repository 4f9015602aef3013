#include "vitrine/survey/vm_measurer.h"

#include "vitrine/survey/environment.h"
#include "vitrine/survey/figures.h"
#include "vitrine/survey/inconsistency.h"
#include "vitrine/survey/plan.h"
#include "vitrine/survey/rate.h"
#include "vitrine/techniques/technique.h"
#include "vitrine/views/registry.h"

namespace vitrine::survey {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAuditInterval{10};

session::Options options_of(const Cell& cell) {
  session::Options options;
  options.technique = cell.technique;
  if (cell.pause == "vmm") options.pause = session::Pausing::vmm;
  if (cell.pause == "freeze") options.pause = session::Pausing::freeze;
  options.demand.atomic = cell.demand != "none";
  options.demand.quiescent = cell.demand == "quiescent";
  return options;
}

bool copies(const Cell& cell) {
  const auto technique = techniques::find(cell.technique);
  return technique && (*technique)->description().one_instant;
}

}  // namespace

base::Result<Run> VmMeasurer::measure(const Cell& cell) {
  Run run;
  run.started_unix_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  const auto begin = SteadyClock::now();
  if (const auto looked = look(cell, run); !looked) {
    if (auto there = check_guest(); !there) return base::fail(there.error());
    run.figures.clear();
    run.latencies.clear();
    run.state = State::failed;
    run.reason = base::to_string(looked.error());
  }
  run.figures["took_ns"] = static_cast<double>((SteadyClock::now() - begin).count());
  return run;
}

// What a technique may call gone is its own connection.
base::Result<void> VmMeasurer::check_guest() const {
  if (!host::alive(machine_.process))
    return base::fail(base::Code::gone, "the VM ended while it was surveyed");
  auto session = session::Session::open(session::Source(machine_), {});
  if (!session) return base::fail(session.error());
  if (boot_identity((*session)->kernel()) != boot_)
    return base::fail(base::Code::gone, "the guest rebooted while it was surveyed",
                      "survey it anew, into another folder");
  return {};
}

base::Result<void> VmMeasurer::look(const Cell& cell, Run& run) const {
  const auto declaration = views::find(cell.view);
  if (!declaration) return base::fail(declaration.error());
  const auto begin = SteadyClock::now();
  auto session = session::Session::open(session::Source(machine_), options_of(cell));
  if (!session) return base::fail(session.error());
  if (boot_identity((*session)->kernel()) != boot_)
    return base::fail(base::Code::gone, "the guest rebooted while it was surveyed");
  auto view = (*declaration)->attach((*session)->kernel(), (*session)->memory());
  if (!view) return base::fail(view.error());
  // Where a copy took longer than the run is to take, more of them than needed would be a burden to
  // the guest.
  const auto duration = run_time(cell, shortest_);
  const bool slow = copies(cell) && SteadyClock::now() - begin > duration;
  const Pace pace{
      .duration = duration,
      .frequency_hz = cell.frequency_hz,
      .warm_up = slow || cell.frequency_hz > 0 ? std::chrono::nanoseconds{} : duration / 10};
  auto rate = measure_rate(**session, **view, pace);
  if (!rate) return base::fail(rate.error());
  run.figures = figures_of(*rate);
  run.latencies = std::move(rate->latencies);
  if (!is_audited(cell) || slow) return {};
  auto audit = count_inconsistency(**session, duration, kAuditInterval);
  if (!audit) return base::fail(audit.error());
  run.figures.merge(figures_of(*audit));
  return {};
}

}  // namespace vitrine::survey
