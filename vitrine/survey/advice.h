// Which way of looking fits stated needs, and why, by the figures of a survey.
//
// What was not measured is unknown, never assumed. The figures of a way are the worst that it had
// on any guest, at any work, that the scope takes in: medians of the runs of a cell each.
//
// Thread contract: pure functions. Cost on the guest: none.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/survey/study.h"
#include "vitrine/techniques/technique.h"

namespace vitrine::survey {

struct Needs {
  std::optional<double> frequency_hz = {};  // to be sustained
  std::optional<double> max_stop_ns = {};   // for which an observation stops the guest, in the mean
  std::optional<double> max_stopped_share = {};  // of the time, at that frequency, 0 to 1
  std::optional<double> max_latency_ns = {};     // that 99 of 100 observations keep
  std::optional<double> max_cpu_share = {};      // of one processor, that the tool takes, 0 to 1
  bool atomic = false;                           // what is seen is of one instant
  bool quiescent = false;                        // and shows no change of the kernel's half done
  bool passive = false;                          // the VM cannot notice
  bool no_guest_changes = false;                 // nothing has to run in the guest
  bool no_restart = false;                       // the VM is as QEMU starts it by itself
  bool no_manager = false;                       // the VM's monitor stays free
};

// Which of a survey's cells count.
struct Scope {
  std::string view = "processes";
  std::string guest = {};     // any where empty
  std::string workload = {};  // any where empty
};

struct Way {
  std::string technique, pause, demand;  // as in Cell
  auto operator<=>(const Way&) const = default;
};

enum class Fit { fits, unknown, unfit };

// "fits", "unknown", "unfit".
std::string_view name(Fit fit);

struct Reason {
  std::string need;  // as its option is called: "max-stop"; "survey", "VM" for what is no need
  Fit fit = Fit::fits;
  std::string text;  // with the numbers that decide
};

struct Advice {
  Way way;
  techniques::Effect effect = techniques::Effect::intrusive;
  Fit fit = Fit::fits;  // the worst of the reasons'
  std::vector<Reason> reasons;
  std::optional<double> per_second;  // that it sustained at most; absent where not measured
  // So many observations a second were asked for where the figures below are of; 0: as many as
  // possible. Ways that fit are compared at one pace, that all of them were measured at: the
  // nearest to the frequency asked for. Absent where there is none; then each is at its nearest.
  std::optional<double> pace_hz;
  std::optional<double> stopped_ns, latency_p50_ns, latency_p99_ns;
  std::optional<double> cost_ns;  // processor time of tool and VMM, an observation
  std::optional<double> cpu_ns;   // the tool's part of it
  std::vector<Cell> evidence;     // the cells whose figures those are
};

// Whether a way can be used on the VM that is asked about, now.
using OnVm = std::function<std::vector<Reason>(const Way&)>;

// Every way that the survey planned, within the scope, the fitting ones first. Those are ranked by
// their effect on the VM (passive, intrusive, persistent), then by how long they stop the guest,
// then by their cost for the host, then by their latency; what is unknown comes after what is not.
std::vector<Advice> advise(const Study& study, const Needs& needs, const Scope& scope,
                           const OnVm& on_vm = {});

// The need that rules out most ways; empty where none rules out any.
std::string most_excluding(const std::vector<Advice>& all);

// What shows a view in this way, for a shell: "vitrine ps demo --technique fork --watch 0.1".
std::string command_line(const Way& way, std::string_view view_verb, std::string_view vm,
                         const Needs& needs);

}  // namespace vitrine::survey
