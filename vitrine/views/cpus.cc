#include "vitrine/views/cpus.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {
namespace {

constexpr std::uint32_t kMaxCpus = 8192;  // NR_CPUS of MAXSMP kernels

}  // namespace

base::Result<std::vector<std::uint64_t>> read_cpu_offsets(const kernel::Kernel& kernel,
                                                          memory::PhysicalMemory& memory) {
  constexpr std::array<std::string_view, 2> kSymbols{"__per_cpu_offset", "nr_cpu_ids"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[0] || !symbols[1])
    return base::fail(base::Code::unsupported,
                      "this kernel's kallsyms does not name __per_cpu_offset and nr_cpu_ids",
                      "the guest's kernel needs CONFIG_SMP and CONFIG_KALLSYMS_ALL");
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  std::array<std::byte, 4> bytes{};
  std::uint32_t count = 0;
  const bool counted = bool(walked.read(*symbols[1], bytes));
  std::memcpy(&count, bytes.data(), sizeof count);
  std::vector<std::uint64_t> offsets(std::min(count, kMaxCpus));
  if (!counted || !walked.read(*symbols[0], std::as_writable_bytes(std::span(offsets))))
    return base::fail(base::Code::unreadable, "the guest's per-CPU offsets could not be read");
  return offsets;
}

}  // namespace vitrine::views
