// Ten symbols by name, in one pass over the compressed names as a view asks for them.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "bench/guest.h"

namespace vitrine::bench {
namespace {

constexpr std::array<std::string_view, 10> kNames = {
    "_text",        "_stext",           "init_task",      "init_uts_ns", "jiffies",
    "linux_banner", "page_offset_base", "swapper_pg_dir", "tk_core",     "__per_cpu_offset"};

void find_ten_symbols(benchmark::State& state) {
  auto guest = make_guest(40'000);  // about as many as half a distribution's kernel has
  const kernel::Kernel kernel = locate(*guest);
  kernel::Tables tables(guest->memory(), kernel.space, kernel.vmcoreinfo);
  // Decoded anew, since tables remember the names that are often asked for.
  const kernel::Symbols symbols = value(kernel::Symbols::decode(value(tables.symbols())->raw()));
  const auto found = symbols.find(kNames);
  for (std::size_t i = 0; i < kNames.size(); ++i)
    require(found[i] == guest->kernel().symbol(std::string(kNames[i])),
            "the symbol is where it was put");
  for (auto _ : state) benchmark::DoNotOptimize(symbols.find(kNames));
  state.counters["symbols"] = symbols.count();
}
BENCHMARK(find_ten_symbols);

}  // namespace
}  // namespace vitrine::bench
