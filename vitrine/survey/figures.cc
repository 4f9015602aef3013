#include "vitrine/survey/figures.h"

namespace vitrine::survey {

Figures figures_of(const Rate& rate) {
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  Figures figures{{"per_second", rate.per_second},
                  {"latency_p50_ns", number(rate.latency_ns.p50)},
                  {"latency_p90_ns", number(rate.latency_ns.p90)},
                  {"latency_p99_ns", number(rate.latency_ns.p99)},
                  {"latency_max_ns", number(rate.latency_ns.max)},
                  {"stopped_ns", rate.stopped_ns},
                  {"cpu_ns", rate.cpu_ns},
                  {"views", number(rate.views)},
                  {"incomplete", number(rate.incomplete)},
                  {"reached", number(rate.reached)},
                  {"one_instant", number(rate.one_instant)},
                  {"rows", number(rate.rows)},
                  {"collects", rate.collects}};
  // From a mean to a share of the time.
  const double per_ns = number(rate.views) / rate.elapsed_ns;
  figures["stopped_share"] = rate.stopped_ns * per_ns;
  figures["cpu_share"] = rate.cpu_ns * per_ns;
  if (rate.vmm_cpu_ns) {
    figures["vmm_cpu_ns"] = *rate.vmm_cpu_ns;
    figures["vmm_cpu_share"] = *rate.vmm_cpu_ns * per_ns;
  }
  if (rate.written_bytes) figures["written_bytes"] = *rate.written_bytes;
  if (rate.peak_memory_bytes) figures["peak_memory_bytes"] = number(*rate.peak_memory_bytes);
  return figures;
}

Figures figures_of(const ModeResult& audit) {
  return {{"audited", static_cast<double>(audit.reached)},
          {"intrinsic", static_cast<double>(audit.intrinsic)},
          {"extrinsic", static_cast<double>(audit.extrinsic)}};
}

}  // namespace vitrine::survey
