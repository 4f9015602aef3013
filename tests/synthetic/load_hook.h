// Calls a hook before every single load from a mapped synthetic memory, as the guest's own CPUs
// would run between two loads of an in-place reader. Nothing in the reader knows of it: the windows
// are made inaccessible, so that each load faults; the hook is called, the page opened, the one
// instruction executed by single step, and the page closed again. A string move counts each step.
//
// The hook may write to the memory, populate it and punch holes through its Memory; it must not
// read through the windows, nor throw.
//
// Thread contract: one per process at a time; one thread. Takes SIGSEGV and SIGTRAP meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/synthetic/mapped_memory.h"

namespace vitrine::synthetic {

class LoadHook {
 public:
  // `memory` outlives it. The hook is told how many loads there were before.
  LoadHook(const MappedMemory& memory, std::function<void(std::uint64_t)> before_load);
  ~LoadHook();
  LoadHook(const LoadHook&) = delete;
  LoadHook& operator=(const LoadHook&) = delete;

  std::uint64_t loads() const { return loads_; }

  // For the signal handlers: false if the address is in no window.
  bool open(const void* address);
  void close();

 private:
  const MappedMemory& memory_;
  std::function<void(std::uint64_t)> before_load_;
  std::uint64_t loads_ = 0;
  std::vector<std::byte*> open_pages_;  // while one load is under way: two, if it crosses pages
  std::uint64_t remapped_ = 0;
};

}  // namespace vitrine::synthetic
