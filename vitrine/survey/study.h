// What a survey found: the way it was made, each way of looking that was tried, and every run of
// it. Everything that uses a survey (its file, the report, advice, comparison) uses this.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::survey {

// A fact of the host or of how the survey was made: "host_kernel" and "6.18.44", say.
using Facts = std::map<std::string, std::string, std::less<>>;

// A guest that was looked into.
struct Guest {
  std::string name;
  std::string release;  // of its kernel
  std::uint64_t memory_bytes = 0;
  std::uint64_t processors = 0;
  std::uint64_t tasks = 0;  // when the survey began
};

// One way of looking: what the numbers of a run are numbers of.
struct Cell {
  std::string guest;            // Guest::name
  std::string workload;         // what the guest was busy with: "as found" where nobody knows
  std::string view;             // views::Declaration::name
  std::string technique;        // techniques::Description::id
  std::string pause = "none";   // none, vmm, freeze
  std::string demand = "none";  // none, atomic, quiescent
  double frequency_hz = 0;      // observations asked for a second; 0: as many as possible

  auto operator<=>(const Cell&) const = default;
};

enum class State {
  measured,
  refused,  // could not be used on this VM: the reason says why and how to make it so
  failed,   // was begun and ended with an error
};

// The figures of a run, by name; a figure that could not be had is absent, never zero.
//   per_second       observations a second that were sustained
//   latency_p50_ns, latency_p90_ns, latency_p99_ns, latency_max_ns   of an observation
//   stopped_ns       for which the guest was stopped, an observation, mean
//   stopped_share    of the run's time for which the guest was stopped, 0 to 1
//   cpu_ns, vmm_cpu_ns   processor time of this tool and of the VMM, an observation, mean
//   cpu_share, vmm_cpu_share   the same as a share of one processor over the run
//   written_bytes    handed to disks by both, an observation, mean
//   peak_memory_bytes    private memory of this tool at most, while it was measured
//   views, incomplete, reached, rows, collects   counts, as survey::Rate has them
//   intrinsic, extrinsic   of the observations that were audited, how many met such a kind
//   audited          how many observations were audited
//   one_instant      count: of the views, of how many it was proved, or seen, that all they show
//                    was so at one instant
//   took_ns          all of the run, attaching and audit included
using Figures = std::map<std::string, double, std::less<>>;

struct Run {
  std::int64_t started_unix_ns = 0;
  State state = State::measured;
  std::string reason;  // why it was refused or failed, with the remedy
  Figures figures;
  // How many observations took up to how many nanoseconds; steps of less than one percent.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> latencies;
};

struct Measured {
  Cell cell;
  std::vector<Run> runs;  // in the order in which they were made
};

struct Study {
  Facts facts;
  std::vector<Guest> guests;
  std::vector<Measured> cells;  // planned and not yet run: without runs
};

}  // namespace vitrine::survey
