// A synthetic Linux guest: RAM, kernel and processes built in memory, in milliseconds.
//
//   synthetic::Guest guest;
//   guest.add_process({.pid = 1, .comm = "init"});
//   auto kernel = recognise(guest.memory(), guest.registers());
//
// Thread contract: one thread at a time.
#pragma once

#include <memory>
#include <vector>

#include "tests/synthetic/kernel.h"
#include "tests/synthetic/mapped_memory.h"
#include "tests/synthetic/processes.h"

namespace vitrine::synthetic {

struct GuestOptions {
  std::vector<Range> ram = {{GuestPhysical(0), 64 * megabyte}};
  Range frames = {GuestPhysical(32 * megabyte), 32 * megabyte};  // for tables and allocations
  bool mapped = false;  // the memory then has the power of memory::Windows
  KernelOptions kernel = {};
};

class Guest {
 public:
  explicit Guest(GuestOptions options = {})
      : memory_(options.mapped ? std::make_unique<MappedMemory>(options.ram)
                               : std::make_unique<Memory>(options.ram)),
        frames_(*memory_, options.frames),
        kernel_(*memory_, frames_, std::move(options.kernel)),
        processes_(kernel_) {}

  Memory& memory() { return *memory_; }
  FrameAllocator& frames() { return frames_; }
  Kernel& kernel() { return kernel_; }
  Processes& processes() { return processes_; }

  const ProcessObjects& add_process(const Process& process) { return processes_.add(process); }

  // What a vCPU shows: in the idle task, or in a process, in kernel or user mode.
  memory::X86Registers registers() const {
    return kernel_.registers(kernel_.physical(kernel_.symbol("swapper_pg_dir")));
  }
  memory::X86Registers registers(int pid, bool in_user_mode = false) const {
    return kernel_.registers(processes_.of(pid).tables->root(), in_user_mode);
  }

 private:
  std::unique_ptr<Memory> memory_;
  FrameAllocator frames_;
  Kernel kernel_;
  Processes processes_;
};

}  // namespace vitrine::synthetic
