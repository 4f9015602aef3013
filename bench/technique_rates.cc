// Measures `vitrine rate` for the view of the processes on every technique, on guests of 1 GiB with
// about 150 tasks, and prints the table of docs/technique-rates.md. Before anything is timed, every
// technique has to give the same rows.
// usage: technique_rates [SECONDS-PER-RUN]
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/live/guest_agent.h"
#include "tests/live/guest_tasks.h"
#include "tests/live/libvirt_session.h"
#include "tests/live/vitrine_command.h"

namespace vitrine::bench {
namespace {

using nlohmann::json;

constexpr int kRuns = 3;
constexpr int kSleepers = 85;

// One line of the table: how the tool is called, on which VM.
struct Case {
  std::string vm;
  std::vector<std::string> options;
  std::vector<json> runs = {};

  std::string title() const {
    std::string text = options[1];
    for (std::size_t i = 2; i < options.size(); ++i) text += " " + options[i];
    return text;
  }
  // The middle one of the runs, and the lowest and the highest.
  std::vector<double> sorted(const std::function<double(const json&)>& figure) const {
    std::vector<double> values;
    for (const json& run : runs) values.push_back(figure(run));
    std::ranges::sort(values);
    return values;
  }
};

std::vector<Case> cases() {
  std::vector<Case> all{{"mapped", {"--technique", "map"}},
                        {"mapped", {"--technique", "map", "--pause=freeze"}},
                        {"mapped", {"--technique", "map", "--pause=vmm"}}};
  for (const char* id : {"process-vm", "proc-mem"}) {
    all.push_back({"private", {"--technique", id}});
    all.push_back({"private", {"--technique", id, "--pause=freeze"}});
    all.push_back({"private", {"--technique", id, "--pause=vmm"}});
  }
  for (const char* id :
       {"fork", "background-snapshot", "migrate-file", "dump", "pmemsave", "gdb", "qmp", "agent"})
    all.push_back({"private", {"--technique", id}});
  all.push_back({"managed", {"--technique", "libvirt"}});
  return all;
}

void require_equal_answers(const Case& measured) {
  // A kernel worker may come or go in between.
  for (int attempt = 0; attempt < 5; ++attempt)
    if (live::stable_rows(measured.vm, measured.options) ==
        live::stable_rows(measured.vm, {"--technique", "process-vm"}))
      return;
  throw std::runtime_error(measured.title() + " does not give the rows of process-vm");
}

void run(Case& measured, const std::string& seconds) {
  std::vector<std::string> command{"rate", measured.vm, "--seconds", seconds};
  command.insert(command.end(), measured.options.begin(), measured.options.end());
  measured.runs.push_back(live::vitrine_json(command));
  std::fprintf(stderr, "%s: %.5g views a second\n", measured.title().c_str(),
               measured.runs.back().at("per_second").get<double>());
}

// Three digits that matter.
std::string digits(double value) {
  std::array<char, 32> text{};
  const int decimals = value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string time_text(double ns) {
  if (ns == 0) return "0";
  if (ns < 1e6) return digits(ns / 1e3) + " us";
  return ns < 1e9 ? digits(ns / 1e6) + " ms" : digits(ns / 1e9) + " s";
}

void print_heading(const std::vector<Case>& all, const std::string& seconds) {
  utsname host{};
  uname(&host);
  const std::string kernel = host.release;
  const std::string version =
      live::run({"qemu-system-x86_64", "--version"}, std::chrono::seconds(10)).output;
  std::vector<int> tasks;
  tasks.reserve(all.size());
  for (const Case& one : all) tasks.push_back(one.runs.front().at("rows").get<int>());
  std::printf(
      "# How often each technique can list the processes\n\n"
      "Written by `script/bench_techniques`: `vitrine rate VM --technique ID --seconds %s`, every "
      "field of `ps`\nbut the command line; medians of %d runs that took turns, in parentheses the "
      "slowest and the fastest.\nBefore, each technique gave the same rows as `process-vm`. Times "
      "and bytes are per view.\n\n"
      "Host: %u processors, Linux %s, %s; accelerator\n%s. Guests: 1 GiB, kernel 6.1, %d to %d "
      "tasks; RAM on a memfd for `map`, private for the others.\nMeasure on your own host.\n\n"
      "| technique | views a second | p50 | p99 | guest stopped | CPU of the tool | CPU of the VMM "
      "| written to disks |\n|---|---|---|---|---|---|---|---|\n",
      seconds.c_str(), kRuns, std::thread::hardware_concurrency(),
      kernel.substr(0, kernel.find('-')).c_str(), version.substr(0, version.find('\n')).c_str(),
      live::accelerator().c_str(), *std::ranges::min_element(tasks),
      *std::ranges::max_element(tasks));
}

void print_line(const Case& one) {
  const auto rates = one.sorted([](const json& run) { return run.at("per_second"); });
  const auto time = [&one](const std::string& pointer) {
    return time_text(one.sorted(
        [&](const json& run) { return run.at(json::json_pointer(pointer)); })[kRuns / 2]);
  };
  const json& written = one.runs.back().at("written_bytes");
  const std::vector<std::string> cells{
      "`" + one.title() + "`",
      digits(rates[kRuns / 2]) + " (" + digits(rates.front()) + "–" + digits(rates.back()) + ")",
      time("/latency_ns/p50"),
      time("/latency_ns/p99"),
      time("/stopped_ns"),
      time("/cpu_ns"),
      time("/vmm_cpu_ns"),
      written.is_null() ? "?" : digits(written.get<double>() / (1 << 20)) + " MiB"};
  for (const std::string& cell : cells) std::printf("| %s ", cell.c_str());
  std::printf("|\n");
}

void print(const std::vector<Case>& all, const std::string& seconds) {
  print_heading(all, seconds);
  for (const Case& one : all) print_line(one);
  std::printf(
      "\nThe VMM's processor time includes the guest's own. That of libvirt's daemon is not "
      "counted. A technique that\ncopies writes what is not zero into an unnamed file, whose last "
      "copy is often dropped before it reaches the\ndisk. The guests are idle: a busy one has more "
      "that is not zero.\n");
}

void measure(const std::string& seconds) {
  const live::Guest mapped(
      {.name = "mapped",
       .memory = "1024M",
       .sleepers = kSleepers,
       .arguments = {"-object", "memory-backend-memfd,share=on,id=ram,size=1024M", "-machine",
                     "memory-backend=ram"}});
  live::Guest with_private_ram(
      {.name = "private", .memory = "1024M", .sleepers = kSleepers, .agent = true});
  live::start_agent(with_private_ram);
  const live::LibvirtSession managed({.name = "managed", .mebibytes = 1024, .sleepers = kSleepers});
  std::vector<Case> all = cases();
  for (const Case& one : all) require_equal_answers(one);
  for (int i = 0; i < kRuns; ++i)
    for (Case& one : all) run(one, seconds);
  print(all, seconds);
}

}  // namespace
}  // namespace vitrine::bench

int main(int count, char** arguments) {
  try {
    vitrine::bench::measure(count > 1 ? arguments[1] : "5");
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "technique_rates: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
