#include "vitrine/survey/environment.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <thread>

#include "vitrine/base/json.h"
#include "vitrine/kernel/facts.h"
#include "vitrine/survey/statistics.h"
#include "vitrine/survey/typical.h"
#include "vitrine/views/processes.h"

namespace vitrine::survey {
namespace {

constexpr double kMostStolen = 0.02;
constexpr double kMostSpread = 0.25;  // between the fastest and the slowest run and the median

// What follows the first "KEY" and a colon in a file of lines.
std::string value_after(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

void ask_vmm(const vmm::Machine& machine, const host::ProcRoot& proc, Facts& facts) {
  facts["accelerator"] = machine.accelerator.empty() ? "tcg" : machine.accelerator;
  auto qmp = vmm::open_qmp(machine, {}, proc);
  if (!qmp) return;
  if (const auto reply = qmp->execute("query-version")) {
    const base::Json version = base::parse_json(*reply);
    const base::Json* const qemu =
        version.is_object() && version.contains("qemu") ? &version["qemu"] : nullptr;
    if (qemu != nullptr && qemu->is_object()) {
      const std::string package = base::text_member(version, "package");
      facts["qemu_version"] =
          fmt::format("{}.{}.{}{}", qemu->value("major", 0), qemu->value("minor", 0),
                      qemu->value("micro", 0), package.empty() ? "" : " (" + package + ")");
    }
  }
  // Of several that the command line names, the first that works is taken.
  if (const auto reply = qmp->execute("query-kvm")) {
    const base::Json kvm = base::parse_json(*reply);
    if (kvm.is_object() && kvm.value("enabled", false))
      facts["accelerator"] = "kvm";
    else if (facts["accelerator"] == "kvm")
      facts["accelerator"] = "tcg";
  }
}

std::uint64_t cpus_of(session::Session& session) {
  for (const kernel::Finding& fact : kernel::read_facts(session.kernel(), session.memory()))
    if (const auto* const count = std::get_if<std::uint64_t>(&fact.value);
        fact.fact == "cpus_online" && count != nullptr)
      return *count;
  return 0;
}

}  // namespace

Facts environment_of(const vmm::Machine& machine, const host::ProcRoot& proc) {
  Facts facts;
  utsname host{};
  if (uname(&host) == 0) facts["host_kernel"] = host.release;
  facts["processors"] = std::to_string(std::thread::hardware_concurrency());
  if (const auto text = host::read_file(proc.of("cpuinfo"), 16 << 20))
    if (auto model = value_after(*text, "model name"); !model.empty())
      facts["processor_model"] = std::move(model);
  if (const long pages = sysconf(_SC_PHYS_PAGES); pages > 0)
    facts["host_memory_bytes"] = std::to_string(pages * sysconf(_SC_PAGESIZE));
  ask_vmm(machine, proc, facts);
  return facts;
}

base::Result<Guest> look_at_guest(session::Session& session) {
  auto view = views::Processes::attach(session.kernel(), session.memory(), {});
  if (!view) return base::fail(view.error());
  if (auto seen = session.observe(**view); !seen) return base::fail(seen.error());
  const vmm::Machine& machine = *session.machine();
  Guest guest;
  guest.name = machine.name.empty() ? fmt::format("process {}", machine.process.pid) : machine.name;
  guest.release = session.kernel().release;
  guest.memory_bytes = session.layout().bytes();
  guest.processors = cpus_of(session);
  guest.tasks = (*view)->size();
  return guest;
}

std::string boot_identity(const kernel::Kernel& kernel) {
  return fmt::format("{} ({}, noted at {:#x})", kernel.release,
                     kernel.build_id.value_or("no build id"), kernel.note.value);
}

std::optional<HostLoad> host_load(const host::ProcRoot& proc) {
  const auto averages = host::read_file(proc.of("loadavg"));
  const auto counters = host::read_file(proc.of("stat"), 16 << 20);
  if (!averages || !counters) return std::nullopt;
  HostLoad load;
  std::istringstream(*averages) >> load.average;
  std::istringstream line(*counters);
  std::string label;
  line >> label;
  // user nice system idle iowait irq softirq steal; what follows is counted as user time already.
  constexpr int kSteal = 7;
  for (int i = 0; i <= kSteal; ++i) {
    std::uint64_t ticks = 0;
    if (!(line >> ticks)) return std::nullopt;
    load.ticks += ticks;
    if (i == kSteal) load.stolen = ticks;
  }
  return load;
}

double stolen_share(const HostLoad& before, const HostLoad& after) {
  if (after.ticks <= before.ticks || after.stolen < before.stolen) return 0;
  return static_cast<double>(after.stolen - before.stolen) /
         static_cast<double>(after.ticks - before.ticks);
}

std::vector<std::string> disturbances(const HostLoad& before, unsigned processors) {
  if (before.average <= processors / 2.0) return {};
  return {
      fmt::format("the host is busy: its load was {:.1f} on {} processors, so figures may be "
                  "worse than they would be on a quiet one",
                  before.average, processors)};
}

std::vector<std::string> disturbances(const HostLoad& before, const HostLoad& after,
                                      const Study& study) {
  std::vector<std::string> all;
  if (const double stolen = stolen_share(before, after); stolen > kMostStolen)
    all.push_back(fmt::format("other VMs took {:.0f}% of the host's processor time", stolen * 100));
  std::size_t judged = 0;
  std::size_t spread = 0;
  for (const Measured& each : study.cells) {
    const std::vector<double> rates = values(each, "per_second");
    if (rates.size() < 3) continue;
    ++judged;
    const auto [low, high] = std::ranges::minmax(rates);
    if (high - low > kMostSpread * *median(rates)) ++spread;
  }
  // Techniques that write to disks differ by themselves.
  if (spread > judged / 4)
    all.push_back(
        fmt::format("the host was noisy: of {} ways of looking, {} differed by more than "
                    "{:.0f}% from run to run",
                    judged, spread, kMostSpread * 100));
  return all;
}

}  // namespace vitrine::survey
