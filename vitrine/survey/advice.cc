#include "vitrine/survey/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "vitrine/survey/typical.h"
#include "vitrine/survey/way_figures.h"

namespace vitrine::survey {
namespace {

using techniques::Effect;
using techniques::Manager;
using List = std::vector<const Measured*>;

// A timer is late now and then: a frequency counts as sustained from this part of it on, and a
// demand as met.
constexpr double kSustained = 0.95;
constexpr double kReached = 0.99;

// Judges one way by one need after the other.
class Judge {
 public:
  Judge(const Needs& needs, const WayFigures& figures, Advice& advice)
      : needs_(needs), figures_(figures), advice_(advice) {}

  void measured_needs() {
    frequency();
    at_most("max-stop", needs_.max_stop_ns, advice_.stopped_ns, duration_text,
            "stops the guest {} an observation");
    at_most("max-stopped", needs_.max_stopped_share, share_of(advice_.stopped_ns, "stopped_share"),
            share_text, "has the guest stopped {} of the time");
    at_most("max-latency", needs_.max_latency_ns, advice_.latency_p99_ns, duration_text,
            "takes {} or less in 99 of 100 observations");
    at_most("max-cpu", needs_.max_cpu_share, share_of(advice_.cpu_ns, "cpu_share"), share_text,
            "takes {} of a processor");
  }

  void nature(const techniques::Description& about) {
    const Way& way = advice_.way;
    const bool paused = way.pause != "none";
    if (needs_.atomic) instant("atomic", about.one_instant || paused);
    if (needs_.quiescent) instant("quiescent", false);
    if (needs_.passive)
      say("passive", advice_.effect == Effect::passive ? Fit::fits : Fit::unfit,
          advice_.effect == Effect::passive ? "the VM cannot notice"
          : paused                          ? "it pauses the VM"
                   : fmt::format("it is {}: {}", name(about.effect), about.liveness));
    if (needs_.no_guest_changes)
      say("no-guest-changes", about.cooperation == "none" ? Fit::fits : Fit::unfit,
          about.cooperation == "none" ? "needs nothing in the guest"
                                      : fmt::format("needs that {}", about.cooperation));
    if (needs_.no_manager) manager(about.manager);
  }

  // Where no VM is named that could be looked at.
  void as_started(const techniques::Description& about) {
    if (!needs_.no_restart) return;
    const std::string_view with = advice_.way.pause == "vmm" && about.started_with.empty()
                                      ? "a QMP socket"
                                      : about.started_with;
    say("no-restart", with.empty() ? Fit::fits : Fit::unfit,
        with.empty()
            ? "needs nothing that QEMU leaves out by itself"
            : fmt::format("the VM has to be started with {}; name it to learn whether it is",
                          with));
  }

  void say(std::string need, Fit fit, std::string text) {
    advice_.reasons.push_back({std::move(need), fit, std::move(text)});
  }

 private:
  void frequency() {
    if (!needs_.frequency_hz) return;
    const double asked = *needs_.frequency_hz;
    const auto had = advice_.per_second;
    if (!had) return say("frequency", Fit::unknown, "how often it can be had was not measured");
    if (*had >= kSustained * asked)
      return say("frequency", Fit::fits, fmt::format("sustains {}", frequency_text(*had)));
    if (figures_.was_pressed(asked))
      return say("frequency", Fit::unfit,
                 fmt::format("sustains {}; {} asked", frequency_text(*had), frequency_text(asked)));
    say("frequency", Fit::unknown,
        fmt::format("was not measured at more than {}", frequency_text(*had)));
  }

  // The share of time that `each` takes at the frequency asked for; without one, what was measured.
  std::optional<double> share_of(std::optional<double> each, std::string_view measured) const {
    if (!needs_.frequency_hz) return figures_.worst(measured);
    if (!each) return std::nullopt;
    return *each * *needs_.frequency_hz / 1e9;
  }

  void at_most(const char* need, std::optional<double> most, std::optional<double> had,
               std::string (*text)(double), fmt::format_string<std::string> sentence) {
    if (!most) return;
    if (!had) return say(need, Fit::unknown, "no figure of it was measured");
    const std::string is = fmt::format(sentence, text(*had));
    if (*had <= *most) return say(need, Fit::fits, is);
    say(need, Fit::unfit, fmt::format("{}; at most {} asked", is, text(*most)));
  }

  void instant(const char* need, bool stands_still) {
    const std::string& demand = advice_.way.demand;
    if (stands_still) return say(need, Fit::fits, "what is read does not change meanwhile");
    if (demand != need && demand != "quiescent")
      return say(
          need, Fit::unfit,
          fmt::format("may show {}; --{} rules that out",
                      need == std::string_view("atomic") ? "what held at several instants"
                                                         : "a change of the kernel's half done",
                      need));
    const auto reached = figures_.reached();
    if (!reached) return say(need, Fit::unknown, "how often it is reached was not measured");
    say(need, *reached >= kReached ? Fit::fits : Fit::unfit,
        fmt::format("--{} was reached in {} of the observations{}", demand, share_text(*reached),
                    *reached >= kReached ? "" : "; " + share_text(kReached) + " asked"));
  }

  void manager(Manager manager) {
    if (manager == Manager::always || advice_.way.pause == "vmm")
      return say("no-manager", Fit::unfit, "goes through the VM's manager");
    say("no-manager", Fit::fits,
        manager == Manager::never
            ? "does without the VM's manager"
            : "does without the VM's manager, unless disks have to be brought to rest");
  }

  const Needs& needs_;
  const WayFigures& figures_;
  Advice& advice_;
};

void fill_figures(Advice& advice, const WayFigures& figures) {
  advice.stopped_ns = figures.worst("stopped_ns");
  advice.latency_p50_ns = figures.worst("latency_p50_ns");
  advice.latency_p99_ns = figures.worst("latency_p99_ns");
  advice.cpu_ns = figures.worst("cpu_ns");
  advice.cost_ns.reset();
  if (const auto vmm = figures.worst("vmm_cpu_ns"); vmm && advice.cpu_ns)
    advice.cost_ns = *advice.cpu_ns + *vmm;
  for (const Cell& cell : figures.evidence())
    if (std::ranges::find(advice.evidence, cell) == advice.evidence.end())
      advice.evidence.push_back(cell);
}

// Why there are no figures of it.
std::string why_unmeasured(const List& cells) {
  for (const Measured* measured : cells)
    if (!measured->runs.empty() && !measured->runs.back().reason.empty())
      return fmt::format("{}: {}",
                         measured->runs.back().state == State::refused
                             ? "could not be used when it was to be measured"
                             : "failed when it was measured",
                         measured->runs.back().reason);
  return "was not measured";
}

Advice judged(const Way& way, const List& cells, const Needs& needs, const OnVm& on_vm) {
  Advice advice;
  advice.way = way;
  const WayFigures figures(cells, needs.frequency_hz);
  Judge judge(needs, figures, advice);
  if (const auto technique = techniques::find(way.technique); !technique) {
    judge.say("survey", Fit::unfit, technique.error().message);
  } else {
    const techniques::Description& about = (*technique)->description();
    advice.effect = way.pause == "none" ? about.effect : std::max(about.effect, Effect::intrusive);
    judge.nature(about);
    if (!on_vm) judge.as_started(about);
  }
  if (figures.empty()) {
    judge.say("survey", Fit::unknown, why_unmeasured(cells));
  } else {
    advice.per_second = figures.per_second();
    fill_figures(advice, figures);
    judge.measured_needs();
  }
  if (on_vm) std::ranges::move(on_vm(way), std::back_inserter(advice.reasons));
  for (const Reason& reason : advice.reasons) advice.fit = std::max(advice.fit, reason.fit);
  return advice;
}

// The paces at which cells were measured wherever any of them was.
std::set<double> paces_everywhere(const List& cells) {
  std::map<std::pair<std::string, std::string>, std::set<double>> places;
  for (const Measured* measured : cells)
    if (was_measured(*measured))
      places[{measured->cell.guest, measured->cell.workload}].insert(measured->cell.frequency_hz);
  std::optional<std::set<double>> common;
  for (const auto& [place, paces] : places) {
    if (!common) common = paces;
    std::erase_if(*common, [&there = paces](double pace) { return !there.contains(pace); });
  }
  return common.value_or(std::set<double>());
}

// What costs less at another pace is not compared: an idle tool's caches are cold, and the VMM's
// time is the guest's as well.
void compare_at_one_pace(std::vector<Advice>& all, const std::map<Way, List>& ways,
                         const Needs& needs) {
  std::optional<std::set<double>> common;
  for (const Advice& advice : all) {
    if (advice.fit != Fit::fits) continue;
    const std::set<double> paces = paces_everywhere(ways.at(advice.way));
    if (!common) common = paces;
    std::erase_if(*common, [&paces](double pace) { return !paces.contains(pace); });
  }
  if (!common || common->empty()) return;
  const double asked = needs.frequency_hz.value_or(0);
  const double pace = *std::ranges::min_element(*common, {}, [asked](double one) {
    const bool either_flat_out = asked == 0 || one == 0;
    return either_flat_out ? (one == asked ? 0 : std::numeric_limits<double>::max())
                           : std::abs(std::log(one / asked));
  });
  for (Advice& advice : all) {
    if (advice.fit != Fit::fits) continue;
    List cells = ways.at(advice.way);
    std::erase_if(cells, [pace](const Measured* one) { return one->cell.frequency_hz != pace; });
    fill_figures(advice, WayFigures(cells, {}));
    advice.pace_hz = pace;
  }
}

auto rank(const Advice& advice) {
  const auto known = [](std::optional<double> value) {
    return value.value_or(std::numeric_limits<double>::infinity());
  };
  return std::tuple(advice.fit, advice.effect, known(advice.stopped_ns), known(advice.cost_ns),
                    known(advice.latency_p50_ns), advice.way);
}

// As one word of a shell.
std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos)
    return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string_view name(Fit fit) {
  switch (fit) {
    case Fit::fits:
      return "fits";
    case Fit::unknown:
      return "unknown";
    case Fit::unfit:
      return "unfit";
  }
  return "";
}

std::vector<Advice> advise(const Study& study, const Needs& needs, const Scope& scope,
                           const OnVm& on_vm) {
  std::map<Way, List> ways;
  for (const Measured& measured : study.cells) {
    const Cell& cell = measured.cell;
    if (cell.view == scope.view && (scope.guest.empty() || cell.guest == scope.guest) &&
        (scope.workload.empty() || cell.workload == scope.workload))
      ways[{cell.technique, cell.pause, cell.demand}].push_back(&measured);
  }
  std::vector<Advice> all;
  all.reserve(ways.size());
  for (const auto& [way, cells] : ways) all.push_back(judged(way, cells, needs, on_vm));
  compare_at_one_pace(all, ways, needs);
  std::ranges::sort(all, {}, rank);
  return all;
}

std::string most_excluding(const std::vector<Advice>& all) {
  std::map<std::string, int> excluded;
  for (const Advice& advice : all)
    for (const Reason& reason : advice.reasons)
      if (reason.fit != Fit::fits) ++excluded[reason.need];
  const auto most =
      std::ranges::max_element(excluded, {}, [](const auto& one) { return one.second; });
  return most == excluded.end() ? std::string() : most->first;
}

std::string command_line(const Way& way, std::string_view view_verb, std::string_view vm,
                         const Needs& needs) {
  constexpr double kMostOften = 100;  // --watch
  std::string line = fmt::format("vitrine {} {} --technique {}", view_verb, shell_word(vm),
                                 shell_word(way.technique));
  if (way.pause != "none") line += " --pause=" + shell_word(way.pause);
  if (way.demand != "none") line += " --" + shell_word(way.demand);
  if (const auto technique = techniques::find(way.technique);
      technique && (*technique)->description().effect == Effect::persistent)
    line += " --allow-persistent-change";
  if (needs.frequency_hz && *needs.frequency_hz > 0 && *needs.frequency_hz <= kMostOften)
    line += fmt::format(" --watch {:.4g}", 1 / *needs.frequency_hz);
  return line;
}

}  // namespace vitrine::survey
