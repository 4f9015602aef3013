// Types from BTF: parsing it whole, and resolving members as a view does when it attaches.
#include <benchmark/benchmark.h>

#include <array>

#include "bench/guest.h"

namespace vitrine::bench {
namespace {

struct Wanted {
  const char* type;
  const char* member;
};
constexpr std::array<Wanted, 8> kWanted = {{{"task_struct", "pid"},
                                            {"task_struct", "comm"},
                                            {"task_struct", "tasks"},
                                            {"task_struct", "mm"},
                                            {"signal_struct", "thread_head"},
                                            {"cred", "uid.val"},
                                            {"mm_struct", "pgd"},
                                            {"mm_struct", "arg_start"}}};

template <class Types>
void require_true_offsets(const Types& types, const synthetic::Types& truth) {
  for (const Wanted& wanted : kWanted)
    require(value(types.member(wanted.type, wanted.member)).offset ==
                truth.offset(wanted.type, wanted.member),
            "the member is where it was put");
}

void parse_types(benchmark::State& state) {
  auto guest = make_guest();
  const std::vector<std::byte> raw = guest->kernel().types().btf();
  require_true_offsets(value(kernel::Types::parse(raw)), guest->kernel().types());
  for (auto _ : state) benchmark::DoNotOptimize(kernel::Types::parse(raw));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(raw.size()));
}
BENCHMARK(parse_types);

void resolve_members(benchmark::State& state) {
  auto guest = make_guest();
  const kernel::Kernel kernel = locate(*guest);
  require_true_offsets(kernel.types, guest->kernel().types());
  for (auto _ : state)
    for (const Wanted& wanted : kWanted)
      benchmark::DoNotOptimize(kernel.types.member(wanted.type, wanted.member));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kWanted.size()));
}
BENCHMARK(resolve_members);

}  // namespace
}  // namespace vitrine::bench
