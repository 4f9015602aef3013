// Page-table walks over RAM in place, by how the address is mapped.
#include <benchmark/benchmark.h>

#include "bench/guest.h"
#include "vitrine/memory/window_reader.h"
#include "vitrine/paging/walk.h"

namespace vitrine::bench {
namespace {

void walk(benchmark::State& state, base::GuestVirtual (*address_in)(synthetic::Guest&),
          base::GuestPhysical (*root_in)(synthetic::Guest&), std::uint64_t page_size) {
  auto guest = make_guest();
  const paging::Format& format = paging::x86_64_four_level;
  const base::GuestVirtual address = address_in(*guest);
  const base::GuestPhysical root = root_in(*guest);
  memory::WindowReader reader(windows(*guest));
  paging::Translation translation;
  require(paging::walk(format, root, address, reader, translation) == paging::Fault::none,
          "the address is mapped");
  require(translation.page_size == page_size, "the page has the size expected");
  const auto expected = synthetic::naive_translate(guest->memory(), root, 4, address);
  require(translation.address == expected, "the walk agrees with the naive one");
  for (auto _ : state) {
    benchmark::DoNotOptimize(paging::walk(format, root, address, reader, translation));
    benchmark::DoNotOptimize(translation);
  }
}

base::GuestPhysical kernel_root(synthetic::Guest& guest) { return guest.kernel().tables().root(); }
base::GuestPhysical process_root(synthetic::Guest& guest) {
  return guest.processes().of(1).tables->root();
}
base::GuestVirtual image(synthetic::Guest& guest) { return guest.kernel().symbol("init_task"); }
base::GuestVirtual stack(synthetic::Guest&) { return synthetic::Process{}.arguments_at; }

BENCHMARK_CAPTURE(walk, page_of_2_mib, image, kernel_root, 2 * synthetic::megabyte);
BENCHMARK_CAPTURE(walk, page_of_4_kib, stack, process_root, synthetic::page_size);

}  // namespace
}  // namespace vitrine::bench
