#include "tests/page/sample_study.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace vitrine::survey {
namespace {

constexpr std::string_view kHostile = "web</script><script>alert(1)</script><!--";

// How a technique is made up to behave.
struct Invented {
  const char* technique;
  const char* pause;
  const char* demand;
  double latency_ns;
  double stopped_ns;
  double extrinsic;  // share of observations
};

constexpr std::array<Invented, 12> kInvented{{
    {"map", "none", "none", 3.8e3, 0, 0.004},
    {"map", "vmm", "none", 9.9e5, 7.6e5, 0},
    {"map", "none", "atomic", 7.9e3, 0, 0},
    {"process-vm", "none", "none", 1.05e5, 0, 0.021},
    {"process-vm", "freeze", "none", 4.1e5, 3.2e5, 0},
    {"proc-mem", "none", "none", 2.0e5, 0, 0.033},
    {"fork", "none", "none", 8.5e6, 2.4e6, 0},
    {"background-snapshot", "none", "none", 1.0e9, 1.7e7, 0},
    {"migrate-file", "none", "none", 1.3e8, 1.2e8, 0},
    {"gdb", "none", "none", 1.0e7, 1.0e7, 0},
    {"qmp", "none", "none", 1.5e7, 0, 0.41},
    {"agent", "none", "none", 9.8e7, 0, 0.55},
}};

// Around `middle`, with a tail; the shape alone matters.
std::vector<std::pair<std::uint64_t, std::uint64_t>> distribution(double middle) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> latencies;
  for (int step = -8; step <= 40; ++step) {
    const double count =
        4000 * std::exp(-step * step / (step < 0 ? 10.0 : 60.0)) + (step > 30 ? 2 : 0);
    if (count >= 1)
      latencies.emplace_back(static_cast<std::uint64_t>(middle * (1 + 0.02 * step)),
                             static_cast<std::uint64_t>(count));
  }
  return latencies;
}

Run run_of(const Invented& way, double frequency, double scale, int number) {
  Run run;
  run.started_unix_ns = 1'772'000'000'000'000'000 + number * std::int64_t{1'000'000'000};
  const double latency = way.latency_ns * scale * (1 + 0.03 * (number % 3 - 1));
  const double sustained = std::min(frequency == 0 ? 1e12 : frequency, 1e9 / latency);
  const double views = std::max(1.0, std::floor(sustained * 2));
  run.figures = {{"per_second", sustained},
                 {"latency_p50_ns", latency * 0.97},
                 {"latency_p90_ns", latency * 1.2},
                 {"latency_p99_ns", latency * 1.6},
                 {"latency_max_ns", latency * 9},
                 {"stopped_ns", way.stopped_ns * scale},
                 {"stopped_share", std::min(1.0, way.stopped_ns * scale * sustained / 1e9)},
                 {"cpu_ns", latency * 0.9},
                 {"cpu_share", latency * 0.9 * sustained / 1e9},
                 {"vmm_cpu_ns", latency * 0.05},
                 {"vmm_cpu_share", 0.01 + latency * 0.05 * sustained / 1e9},
                 {"peak_memory_bytes", 2.4e7},
                 {"views", views},
                 {"incomplete", 0},
                 {"reached", views},
                 {"rows", 140},
                 {"collects", way.demand == std::string_view("none") ? 1 : 2}};
  if (way.technique != std::string_view("process-vm")) run.figures["written_bytes"] = 0;
  if (frequency == 0) {
    const double audited = std::min(views, 400.0);
    run.figures["audited"] = audited;
    run.figures["intrinsic"] = std::floor(audited * 0.12);
    run.figures["extrinsic"] = std::floor(audited * way.extrinsic);
    run.latencies = distribution(latency);
  }
  return run;
}

Run without_figures(State state, std::string reason) {
  Run run;
  run.started_unix_ns = 1'772'000'100'000'000'000;
  run.state = state;
  run.reason = std::move(reason);
  return run;
}

void add_measured(Study& study, const Cell& of, double scale, std::span<const double> frequencies) {
  int number = 0;
  for (const Invented& way : kInvented)
    for (const double frequency : frequencies) {
      Measured measured{
          {of.guest, of.workload, of.view, way.technique, way.pause, way.demand, frequency}, {}};
      for (int i = 0; i < 3; ++i) measured.runs.push_back(run_of(way, frequency, scale, ++number));
      study.cells.push_back(std::move(measured));
    }
}

// What cannot be shown as a number.
void add_absent(Study& study, const std::string& guest) {
  const auto cell = [&](const char* technique, const char* pause = "none") {
    return Cell{guest, "idle", "processes", technique, pause, "none", 0};
  };
  study.cells.push_back({cell("adopt"),
                         {without_figures(State::refused,
                                          "it would change the VM for good; allow it "
                                          "with --allow-persistent-change")}});
  study.cells.push_back(
      {cell("libvirt"), {without_figures(State::refused, "no libvirt daemon runs this VM")}});
  study.cells.push_back({cell("dump"),
                         {without_figures(State::failed,
                                          "<img src=x onerror=alert(2)>: the VM's "
                                          "monitor did not answer within 10 s")}});
  study.cells.push_back({cell("pmemsave"), {}});
  // One of its runs failed.
  study.cells.front().runs.push_back(
      without_figures(State::failed, "the VM was stopped meanwhile"));
}

}  // namespace

Study sample_study() {
  Study study;
  study.facts = {{"host_kernel", "6.18.44 (invented)"},
                 {"qemu", "QEMU emulator version 7.2.22 (invented)"},
                 {"accelerator", "tcg"},
                 {"note", "Test data: none of these numbers was measured"}};
  const std::string first(kHostile);
  study.guests = {{first, "6.1.0-50-cloud-amd64", 1ULL << 30, 2, 140},
                  {"db", "6.12.1", 4ULL << 30, 4, 612}};
  constexpr std::array<double, 4> kFrequencies{0, 1, 10, 100};
  add_measured(study, {first, "idle", "processes", ""}, 1, kFrequencies);
  add_absent(study, first);
  add_measured(study, {first, "forks", "processes", ""}, 1.4, std::span(kFrequencies).first(1));
  add_measured(study, {"db", "idle", "sockets", ""}, 2.2, std::span(kFrequencies).first(1));
  return study;
}

}  // namespace vitrine::survey
