// The processes view over each reader, on a synthetic guest of 150 processes. The gathering reader
// copies within this process here, so that its figure is the cost of gathering and decoding alone,
// without the host calls that a real VM adds.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "tests/synthetic/guest.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/views/processes.h"

namespace vitrine {
namespace {

constexpr int kProcesses = 150;

// One attached guest, and the view over either reader.
class Bench {
 public:
  Bench() : guest_({.mapped = true}) {
    for (int pid = 1; pid <= kProcesses; ++pid)
      guest_.add_process({.pid = pid,
                          .parent = pid == 1 ? 0 : 1,
                          .comm = "process-" + std::to_string(pid),
                          .kernel_thread = pid % 3 == 0,
                          .start_boottime = static_cast<std::uint64_t>(pid) * 1000});
    const auto registers = guest_.registers();
    auto kernel =
        kernel::locate(guest_.memory(), {.registers = std::span(&registers, 1), .hint = {}});
    if (!kernel) stop(to_string(kernel.error()));
    kernel_ = std::make_unique<kernel::Kernel>(std::move(*kernel));
    auto view = views::Processes::attach(*kernel_, guest_.memory(),
                                         {.threads = false, .command_lines = false});
    if (!view) stop(to_string(view.error()));
    view_ = std::move(*view);
    windows_.emplace(dynamic_cast<memory::Windows&>(guest_.memory()).windows());
    windowed_.emplace(kernel_->space, *windows_);
    gather_.emplace(guest_.memory());
    gathering_.emplace(kernel_->space, *gather_);
    if (rows(*windowed_) != rows(*gathering_)) stop("the readers give different rows");
  }

  template <class Reader>
  void collect(Reader& reader) {
    reader.begin();
    if (!view_->collect(&reader).complete || view_->size() != kProcesses) stop("incomplete view");
  }

  views::WindowedReader& windowed() { return *windowed_; }
  views::GatheringReader& gathering() { return *gathering_; }

 private:
  [[noreturn]] static void stop(const std::string& why) {
    std::cerr << why << '\n';
    std::exit(1);
  }

  template <class Reader>
  std::vector<std::vector<views::Value>> rows(Reader& reader) {
    collect(reader);
    std::vector<std::vector<views::Value>> all;
    for (std::size_t i = 0; i < view_->size(); ++i) all.push_back(view_->row(i).values);
    return all;
  }

  synthetic::Guest guest_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::unique_ptr<views::View> view_;
  std::optional<memory::WindowReader> windows_;
  std::optional<memory::GatherReader> gather_;
  std::optional<views::WindowedReader> windowed_;
  std::optional<views::GatheringReader> gathering_;
};

Bench& bench() {
  static Bench only;
  return only;
}

void processes_in_place(benchmark::State& state) {
  for (auto _ : state) bench().collect(bench().windowed());
  state.SetItemsProcessed(state.iterations() * kProcesses);
}
BENCHMARK(processes_in_place);

void processes_gathered(benchmark::State& state) {
  for (auto _ : state) bench().collect(bench().gathering());
  state.SetItemsProcessed(state.iterations() * kProcesses);
}
BENCHMARK(processes_gathered);

void locate_kernel(benchmark::State& state) {
  synthetic::Guest guest;
  guest.add_process({.pid = 1, .comm = "init"});
  const auto registers = guest.registers();
  for (auto _ : state) {
    auto kernel =
        kernel::locate(guest.memory(), {.registers = std::span(&registers, 1), .hint = {}});
    if (!kernel) state.SkipWithError("no kernel was found");
    benchmark::DoNotOptimize(kernel);
  }
}
BENCHMARK(locate_kernel);

}  // namespace
}  // namespace vitrine
