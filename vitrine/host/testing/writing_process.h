// For tests: a process that writes to its memory without pause, in an order that shows whether a
// copy of that memory is of one instant.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "vitrine/host/process_copy.h"
#include "vitrine/host/testing/busy_process.h"
#include "vitrine/host/vm_flags.h"

namespace vitrine::host::testing {

// Memory at the same address in test and child, marked as a VMM marks its RAM. A thread of the
// child writes a counter to each word of it in turn, without pause.
class WritingProcess {
 public:
  static constexpr std::size_t kMemory = 8 << 20;
  static constexpr std::size_t kWords = kMemory / 8;

  WritingProcess()
      : memory_(static_cast<std::atomic<std::uint64_t>*>(
            mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))),
        process_([this](BusyCounters&) {
          madvise(memory_, kMemory, MADV_DONTFORK);
          std::thread([this] { write(); }).detach();
        }) {}
  ~WritingProcess() { munmap(memory_, kMemory); }
  WritingProcess(const WritingProcess&) = delete;
  WritingProcess& operator=(const WritingProcess&) = delete;

  BusyProcess& process() { return process_; }
  pid_t pid() const { return process_.pid(); }
  std::array<HostRange, 1> range() const {
    return {{{base::HostVirtual(reinterpret_cast<std::uint64_t>(memory_)), kMemory}}};
  }

  // The memory as a process has it; empty where it cannot be read.
  std::vector<std::uint64_t> read(pid_t pid) const {
    std::vector<std::uint64_t> words(kWords);
    const iovec ours{words.data(), kMemory};
    const iovec theirs{memory_, kMemory};
    const bool whole = process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == kMemory;
    return whole ? words : std::vector<std::uint64_t>{};
  }

  bool marked() const {
    const auto mappings = vm_flags(pid());
    for (const FlaggedMapping& mapping : mappings.value())
      if (mapping.start <= range()[0].start && range()[0].start < mapping.end)
        return mapping.has("dc");
    return false;
  }

 private:
  [[noreturn]] void write() {
    for (std::uint64_t round = 1;; ++round)
      for (std::size_t i = 0; i < kWords; ++i) memory_[i] = round;
  }

  std::atomic<std::uint64_t>* memory_;
  BusyProcess process_;
};

// Of one instant: all words up to somewhere are of one round, the others of the one before.
inline ::testing::AssertionResult of_one_instant(const std::vector<std::uint64_t>& words) {
  if (words.empty()) return ::testing::AssertionFailure() << "it cannot be read";
  std::size_t i = 0;
  while (i < words.size() && words[i] == words[0]) ++i;
  const std::uint64_t rest = i < words.size() ? words[i] : words[0];
  if (i < words.size() && rest + 1 != words[0])
    return ::testing::AssertionFailure() << "word " << i << " is " << rest << " after " << words[0];
  for (; i < words.size(); ++i)
    if (words[i] != rest) return ::testing::AssertionFailure() << "word " << i << " differs";
  return ::testing::AssertionSuccess();
}

}  // namespace vitrine::host::testing
