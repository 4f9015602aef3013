#include "vitrine/kernel/liveness.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {

std::optional<std::uint64_t> read_jiffies(const Kernel& kernel, memory::PhysicalMemory& memory) {
  const auto symbol = kernel.symbols.find("jiffies_64");
  if (!symbol) return std::nullopt;
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  std::array<std::byte, 8> bytes{};
  if (!walked.read(*symbol, bytes)) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::vector<bool> show_life(std::span<const Kernel> kernels, memory::PhysicalMemory& memory,
                            std::chrono::milliseconds patience) {
  using namespace std::chrono_literals;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<std::optional<std::uint64_t>> first;
  for (const Kernel& kernel : kernels) first.push_back(read_jiffies(kernel, memory));
  std::vector<bool> alive(kernels.size());
  bool any = false;
  while (!any && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(patience, 50ms));
    memory.begin_observation();
    for (std::size_t i = 0; i < kernels.size(); ++i)
      alive[i] = alive[i] || read_jiffies(kernels[i], memory) != first[i];
    any = std::ranges::find(alive, true) != alive.end();
  }
  return alive;
}

}  // namespace vitrine::kernel
