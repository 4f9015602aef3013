// The guest's CPUs, and where each has its own copy of what the kernel keeps per CPU.
//
// Thread contract: immutable once attached.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

class PerCpu {
 public:
  static constexpr std::uint32_t kMaxCpus = 8192;  // NR_CPUS of MAXSMP kernels

  struct Cpu {
    std::uint32_t number = 0;
    std::uint64_t offset = 0;  // to be added to the address of a per-CPU variable
  };

  // Errors: as reading them, and `unsupported` where this kernel's symbols do not name them.
  static base::Result<PerCpu> attach(const kernel::Kernel& kernel, memory::PhysicalMemory& memory);

  // All that there may ever be, by number.
  const std::vector<Cpu>& possible() const { return possible_; }
  std::vector<std::uint64_t> offsets() const;

  // Those that are online now; false where that can't be read.
  bool read_online(Reader& reader, std::vector<Cpu>& online) const;

 private:
  std::vector<Cpu> possible_;
  std::optional<base::GuestVirtual> online_mask_;  // none: a kernel for one CPU
};

}  // namespace vitrine::views
