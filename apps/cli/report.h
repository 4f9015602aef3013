// An observation as it is reported: everything of the JSON contract but the rows.
//
// Thread contract: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/consistency/verdict.h"

namespace vitrine::cli {

struct VmIdentity {
  std::optional<std::string> name;  // as the VMM was told it; absent for a nameless VM
  std::optional<std::int64_t> pid;  // of the VMM; absent for a memory image
  std::string source;  // how it was found, e.g. "pid", "qmp:/run/vm.sock", "file:/dump"
};

struct KernelIdentity {
  std::string release;                  // as uname -r
  std::optional<std::string> build_id;  // hexadecimal; absent where the kernel has none
};

struct Provenance {
  std::chrono::sys_time<std::chrono::nanoseconds> started = {};
  std::uint64_t duration_ns = 0;
  std::uint64_t reads = 0;
  std::uint64_t bytes = 0;
  std::uint64_t stopped_ns = 0;  // how long the guest was stopped for it
  std::uint64_t drained_ns = 0;  // of that, until its disks were at rest
  consistency::Verdict consistency = {};
};

struct ObservationReport {
  VmIdentity vm;
  std::optional<KernelIdentity> kernel;
  std::string view;
  std::string technique;
  Provenance observation;
  std::vector<std::string> warnings;
};

// A file of the guest, as `cat` reports it.
struct FileReport {
  std::uint64_t inode = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t cached_bytes = 0;     // of that, holes not counted
  std::optional<std::string> sha256;  // absent where something of the content is not known
};

// How fast and at what cost a view could be observed again and again; costs are per view.
struct RateReport {
  VmIdentity vm;
  std::optional<KernelIdentity> kernel;
  std::string view;
  std::string technique;
  double seconds = 0;  // measured, warm-up excluded
  double per_second = 0;
  struct Latency {
    std::uint64_t p50 = 0, p90 = 0, p99 = 0, max = 0;
  } latency_ns;
  std::uint64_t views = 0;    // observations made
  std::uint64_t reached = 0;  // of these, how many met --atomic or --quiescent, where asked for
  std::uint64_t rows = 0;     // rows of the last one
  double collects = 0, reads = 0, bytes = 0, stopped_ns = 0, drained_ns = 0, cpu_ns = 0;
  std::optional<double> vmm_cpu_ns;     // absent where there is no VMM
  std::optional<double> written_bytes;  // to disks; absent where the host does not tell
  std::vector<std::string> warnings;
};

}  // namespace vitrine::cli
