// Measures how long each way of getting a view of one instant stops the guest, and what it leaves
// of the guest's own throughput in the second after, on guests of several sizes whose RAM is all
// resident, in small and in huge pages, idle and busy. Prints the table of docs/stop-times.md.
// usage: stop_times [RUNS-OF-QUICK-WAYS [MEMORY...]], e.g. stop_times 100 1024M
#include <sys/prctl.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/live/guest.h"
#include "vitrine/session/session.h"

namespace vitrine::bench {
namespace {

constexpr int kSlowRuns = 3;
constexpr int kThroughputRuns = 3;
constexpr std::chrono::milliseconds kAfter{1000};
// In the guest: writes to random pages of 64 MiB, and says how many it wrote.
constexpr const char* kChurn = "guest_tool churn 64 ";

struct Way {
  const char* technique;
  session::Pausing pause;
  const char* title;
  bool quick;
};

constexpr std::array<Way, 6> kWays{{
    {"process-vm", session::Pausing::freeze, "--pause=freeze", true},
    {"process-vm", session::Pausing::vmm, "--pause=vmm", true},
    {"fork", session::Pausing::none, "fork", true},
    {"background-snapshot", session::Pausing::none, "background-snapshot", false},
    {"dump", session::Pausing::none, "dump", false},
    {"pmemsave", session::Pausing::none, "pmemsave", false},
}};

template <class T>
T value(base::Result<T> result) {
  if (!result) throw std::runtime_error(base::to_string(result.error()));
  return std::move(*result);
}

using Looking = std::chrono::milliseconds;  // how long an observation looks

std::uint64_t stopped_ns(session::Session& session, Looking looking) {
  const auto observation = value(session.observe([&](memory::PhysicalMemory&) {
    std::this_thread::sleep_for(looking);
    return base::Result<void>();
  }));
  if (observation.consistency.atomic != consistency::Atomic::proved)
    throw std::runtime_error("what was seen is not proved to be of one instant");
  return observation.stopped_ns;
}

std::vector<double> stops(const live::Guest& guest, const Way& way, int runs) {
  const auto session =
      value(session::Session::open(guest.name(), {.technique = way.technique, .pause = way.pause}));
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    times.push_back(static_cast<double>(stopped_ns(*session, Looking(0))) / 1e6);
    value(session->rest().map([] { return 0; }));
  }
  std::ranges::sort(times);
  return times;
}

double churned(live::Guest& guest) {
  return std::stod(guest.run(kChurn + std::to_string(kAfter.count()), std::chrono::seconds(120)));
}

// What the guest gets done in a second that begins with an observation, in writes.
double throughput_after(live::Guest& guest, const Way& way) {
  const auto session =
      value(session::Session::open(guest.name(), {.technique = way.technique, .pause = way.pause}));
  value(session->rest().map([] { return 0; }));
  // What stops the guest for as long as it looks does not look for long.
  const Looking looking = way.pause == session::Pausing::none ? kAfter : Looking(1);
  std::exception_ptr failed;
  std::thread observer([&] {
    try {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      stopped_ns(*session, looking);
    } catch (...) {
      failed = std::current_exception();
    }
  });
  const double writes = churned(guest);
  observer.join();
  if (failed) std::rethrow_exception(failed);
  return writes;
}

// As a part of what it gets done unobserved, just before.
double share_after(live::Guest& guest, const Way& way) {
  std::array<double, kThroughputRuns> shares{};
  for (double& share : shares) {
    const double alone = churned(guest);
    share = throughput_after(guest, way) / alone;
  }
  std::ranges::sort(shares);
  return shares[kThroughputRuns / 2];
}

// Three digits that matter.
std::string digits(double value) {
  std::array<char, 32> text{};
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

void print_heading() {
  utsname host{};
  uname(&host);
  const std::string kernel = host.release;
  std::printf(
      "# How long the guest stands still for a view of one instant\n\n"
      "Written by `script/bench_stops`. All of each guest's RAM is resident in the VMM; the busy "
      "guest writes to random\npages of 64 MiB without pause. Stops are in milliseconds, the "
      "disks' "
      "draining included (there are none). The last\ncolumn is the guest's own work (those writes) "
      "in the second that begins with the observation, while the copy is\nlooked at, as a part of "
      "what it does just before; medians of %d.\n\n"
      "Host: %u processors, Linux %s; accelerator %s; guest kernel 6.1, 1 processor. Measure on "
      "your own host.\n\n"
      "| RAM | pages | guest | way | runs | p50 | p90 | max | work in the second after |\n"
      "|---|---|---|---|---|---|---|---|---|\n",
      kThroughputRuns, std::thread::hardware_concurrency(),
      kernel.substr(0, kernel.find('-')).c_str(), live::accelerator().c_str());
}

void measure(const std::string& memory, bool huge, int quick_runs) {
  // QEMU asks for huge pages; whoever starts it can forbid them.
  prctl(PR_SET_THP_DISABLE, huge ? 0 : 1, 0, 0, 0);
  live::Guest guest(
      {.name = "stops",
       .memory = memory,
       .arguments = {"-object", "memory-backend-ram,id=ram,prealloc=on,size=" + memory, "-machine",
                     "memory-backend=ram"}});
  churned(guest);  // what is emulated has to be translated first
  for (const bool busy : {false, true}) {
    if (busy) guest.run(std::string(kChurn) + "3600000 >/dev/null &");
    for (const Way& way : kWays) {
      const std::vector<double> times = stops(guest, way, way.quick ? quick_runs : kSlowRuns);
      const auto at = [&times](double part) {
        return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
      };
      // Beside the busy one, the second process would have half of the processor only.
      const std::string work =
          busy ? "" : std::to_string(static_cast<int>(100 * share_after(guest, way))) + " %";
      std::printf("| %s | %s | %s | `%s` | %zu | %s | %s | %s | %s |\n", memory.c_str(),
                  huge ? "2 MB" : "4 KB", busy ? "busy" : "idle", way.title, times.size(),
                  digits(at(0.5)).c_str(), digits(at(0.9)).c_str(), digits(times.back()).c_str(),
                  work.c_str());
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace vitrine::bench

int main(int count, char** arguments) {
  try {
    vitrine::bench::print_heading();
    std::vector<std::string> sizes(arguments + std::min(count, 2), arguments + count);
    if (sizes.empty()) sizes = {"256M", "1024M", "4096M"};
    for (const std::string& memory : sizes)
      for (const bool huge : {false, true})
        vitrine::bench::measure(memory, huge, count > 1 ? std::atoi(arguments[1]) : 100);
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "stop_times: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
