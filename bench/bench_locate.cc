// From bare memory to a known kernel: by scanning, and with a hint from an earlier time.
#include <benchmark/benchmark.h>

#include "bench/guest.h"
#include "vitrine/kernel/locate.h"

namespace vitrine::bench {
namespace {

void locate_kernel(benchmark::State& state) {
  auto guest = make_guest();
  CopiedMemory memory(*guest);
  const memory::X86Registers registers = guest->registers();
  kernel::LocateOptions options{.registers = {&registers, 1}, .hint = {}};
  if (state.range(0) != 0) options.hint = guest->kernel().vmcoreinfo_page();
  const kernel::Kernel kernel = value(kernel::locate(memory, options));
  require(kernel.release == guest->kernel().options().release, "the kernel is the one built");
  require(kernel.space.root == guest->kernel().tables().root(), "its page tables are found");
  for (auto _ : state) benchmark::DoNotOptimize(kernel::locate(memory, options));
}
BENCHMARK(locate_kernel)->ArgName("hint")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vitrine::bench
