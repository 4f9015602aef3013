#include "vitrine/views/per_cpu.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {

base::Result<PerCpu> PerCpu::attach(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  enum Name : std::size_t { kOffsets, kCount, kPossible, kOnline, kNames };
  constexpr std::array<std::string_view, kNames> kSymbols{
      "__per_cpu_offset", "nr_cpu_ids", "__cpu_possible_mask", "__cpu_online_mask"};
  const auto symbols = kernel.symbols.find(kSymbols);
  PerCpu cpus;
  if (!symbols[kOffsets]) {
    cpus.possible_ = {{0, 0}};  // a kernel for one CPU keeps nothing per CPU
    return cpus;
  }
  if (!symbols[kCount] || !symbols[kPossible] || !symbols[kOnline])
    return base::fail(base::Code::unsupported, "this kernel's kallsyms does not name its CPUs",
                      "the guest's kernel needs CONFIG_KALLSYMS_ALL");
  cpus.online_mask_ = symbols[kOnline];
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  std::uint32_t count = 0;
  if (auto read = walked.read(*symbols[kCount], std::as_writable_bytes(std::span(&count, 1)));
      !read)
    return base::fail(read.error());
  count = std::min(count, kMaxCpus);
  std::vector<std::uint64_t> offsets(count);
  std::vector<std::uint64_t> mask((count + 63) / 64);
  if (auto read = walked.read(*symbols[kOffsets], std::as_writable_bytes(std::span(offsets)));
      !read)
    return base::fail(read.error());
  if (auto read = walked.read(*symbols[kPossible], std::as_writable_bytes(std::span(mask))); !read)
    return base::fail(read.error());
  for (std::uint32_t number = 0; number < count; ++number)
    if ((mask[number / 64] >> number % 64 & 1) != 0)
      cpus.possible_.push_back({number, offsets[number]});
  if (cpus.possible_.empty())
    return base::fail(base::Code::inconsistent, "the guest says that it has no CPU");
  return cpus;
}

std::vector<std::uint64_t> PerCpu::offsets() const {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(possible_.size());
  for (const Cpu& cpu : possible_) offsets.push_back(cpu.offset);
  return offsets;
}

bool PerCpu::read_online(Reader& reader, std::vector<Cpu>& online) const {
  online.clear();
  std::uint64_t word = ~std::uint64_t{0};
  std::uint32_t loaded = ~0U;
  for (const Cpu& cpu : possible_) {
    if (online_mask_ && cpu.number / 64 != loaded) {
      loaded = cpu.number / 64;
      if (!reader.load(*online_mask_ + std::uint64_t{loaded} * 8, word)) return false;
    }
    if ((word >> cpu.number % 64 & 1) != 0) online.push_back(cpu);
  }
  return true;
}

}  // namespace vitrine::views
