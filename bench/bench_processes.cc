// One observation of the processes view: in place, and through a gathered copy. The copy is made
// within this process, so it costs what gathering and decoding cost, without a VM's host calls.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "bench/guest.h"
#include "vitrine/consistency/collector.h"
#include "vitrine/views/processes.h"

namespace vitrine::bench {
namespace {

// The guest, the view, and both readers, which were found to give the same rows.
class Observed {
 public:
  explicit Observed(bool command_lines)
      : view_(value(views::Processes::attach(kernel_, guest_->memory(),
                                             {.command_lines = command_lines}))) {
    observe(windowed);
    const std::vector<views::Row> in_place = rows();
    require(in_place.size() == kProcesses, "every process is seen");
    for (const char* round : {"first chased", "then gathered"}) {
      observe(gathering);
      require(same(in_place, rows()), std::string("both readers give the same rows, ") + round);
    }
  }

  // Of one instant, and with the locks looked at besides.
  void observe(const consistency::Demand& demand) {
    require(consistency::reached(collector_.collect(*view_, demand).verdict, demand),
            "a guest that rests is seen at one instant");
  }

  void observe(views::Reader& reader) {
    reader.begin();
    require(view_->collect(reader).complete, "the observation is complete");
  }

 private:
  std::vector<views::Row> rows() const {
    std::vector<views::Row> rows;
    for (std::size_t i = 0; i < view_->size(); ++i) rows.push_back(view_->row(i));
    return rows;
  }
  static bool same(const std::vector<views::Row>& left, const std::vector<views::Row>& right) {
    return std::ranges::equal(left, right, [](const views::Row& one, const views::Row& other) {
      return one.values == other.values && one.errors.size() == other.errors.size();
    });
  }

  std::unique_ptr<synthetic::Guest> guest_ = make_guest();
  kernel::Kernel kernel_ = locate(*guest_);
  memory::Reader window_reader_{windows(*guest_)};
  CopiedMemory copied_{*guest_};
  memory::Reader gather_reader_{copied_};
  std::unique_ptr<views::View> view_;
  consistency::Collector collector_{kernel_, window_reader_, memory::Reader(windows(*guest_))};

 public:
  views::Reader windowed{kernel_.space, window_reader_};
  views::Reader gathering{kernel_.space, gather_reader_};
};

template <auto Reader>
void processes(benchmark::State& state) {
  Observed observed(state.range(0) != 0);
  for (auto _ : state) observed.observe(observed.*Reader);
  state.SetItemsProcessed(state.iterations() * kProcesses);
}
BENCHMARK(processes<&Observed::windowed>)->ArgName("command_lines")->Arg(0)->Arg(1);
BENCHMARK(processes<&Observed::gathering>)->ArgName("command_lines")->Arg(0)->Arg(1);

// To be compared with plain collections in place: --atomic is to take at most 2.2 times as long.
template <bool Quiescent>
void processes_of_one_instant(benchmark::State& state) {
  Observed observed(state.range(0) != 0);
  const consistency::Demand demand{.atomic = true, .quiescent = Quiescent};
  for (auto _ : state) observed.observe(demand);
  state.SetItemsProcessed(state.iterations() * kProcesses);
}
BENCHMARK(processes_of_one_instant<false>)->ArgName("command_lines")->Arg(0)->Arg(1);
BENCHMARK(processes_of_one_instant<true>)->ArgName("command_lines")->Arg(0)->Arg(1);

}  // namespace
}  // namespace vitrine::bench
