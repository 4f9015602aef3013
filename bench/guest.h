// The guest that benchmarks look at: a synthetic one with 150 processes, its kernel located.
//
// Thread contract: one thread at a time.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/synthetic/guest.h"
#include "vitrine/kernel/kernel.h"

namespace vitrine::bench {

constexpr int kProcesses = 150;

// Ends the program with a message unless `holds`: a wrong answer is not worth timing.
void require(bool holds, std::string_view what);

// The value of a result; ends the program with its error where there is none.
template <class T>
T value(base::Result<T> result) {
  require(result.has_value(), result ? "" : base::to_string(result.error()));
  return std::move(*result);
}

// A guest of 64 MiB whose RAM is mapped into this process; its kernel has some hundred symbols and
// `more_symbols`.
std::unique_ptr<synthetic::Guest> make_guest(int more_symbols = 0);

// The guest's RAM in place.
std::span<const memory::Window> windows(synthetic::Guest& guest);

kernel::Kernel locate(synthetic::Guest& guest);

// The guest's RAM as a technique that copies has it, but for the host call: one copy per request.
class CopiedMemory final : public memory::PhysicalMemory {
 public:
  // `guest` outlives the memory.
  explicit CopiedMemory(synthetic::Guest& guest);

  using PhysicalMemory::read;
  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return guest_.memory().ram(); }
  std::vector<memory::Range> populated(memory::Range within) override;

 private:
  synthetic::Guest& guest_;
  memory::Window window_;
};

}  // namespace vitrine::bench
