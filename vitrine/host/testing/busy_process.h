// For tests: a process that does nothing but count, in several threads, in memory that it shares
// with the test; and one thread more that counts what it is woken by.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace vitrine::host::testing {

struct BusyCounters {
  std::array<std::atomic<std::uint64_t>, 4> counts{};  // of each thread
  std::atomic<int> signals = 0;                        // SIGUSR1s that were handled
  std::atomic<int> ready = 0;                          // threads that run
};

class BusyProcess {
 public:
  // `also` runs in the process before it counts.
  explicit BusyProcess(const std::function<void(BusyCounters&)>& also = {})
      : counters_(
            static_cast<BusyCounters*>(mmap(nullptr, sizeof(BusyCounters), PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    new (counters_) BusyCounters;
    pid_ = fork();
    if (pid_ == 0) live(also);
    while (counters_->ready < static_cast<int>(counters_->counts.size()))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~BusyProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    munmap(counters_, sizeof(BusyCounters));
  }
  BusyProcess(const BusyProcess&) = delete;
  BusyProcess& operator=(const BusyProcess&) = delete;

  pid_t pid() const { return pid_; }
  BusyCounters& counters() { return *counters_; }

  // Whether no thread counts on within 20 ms.
  bool stands_still() const {
    const auto before = now();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return now() == before;
  }
  // Whether every thread counts on, waiting at most 5 s.
  bool goes_on() const {
    const auto before = now();
    for (int i = 0; i < 500; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      const auto after = now();
      bool all = true;
      for (std::size_t k = 0; k < after.size(); ++k) all = all && after[k] != before[k];
      if (all) return true;
    }
    return false;
  }
  // Waits for its end, at most 5 s; whether it ended. The destructor has nothing left to do then.
  bool ended() {
    for (int i = 0; i < 500; ++i) {
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

 private:
  std::array<std::uint64_t, 4> now() const {
    std::array<std::uint64_t, 4> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = counters_->counts[i];
    return values;
  }

  static inline BusyCounters* shared = nullptr;

  // Three threads count in different ways: working, in system calls, and mostly asleep.
  [[noreturn]] void live(const std::function<void(BusyCounters&)>& also) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    shared = counters_;
    signal(SIGUSR1, [](int) { ++shared->signals; });
    if (also) also(*counters_);
    for (std::size_t i = 1; i < counters_->counts.size(); ++i)
      std::thread([this, i] { count(i); }).detach();
    count(0);
    _exit(0);
  }
  void count(std::size_t which) {
    ++counters_->ready;
    while (true) {
      ++counters_->counts[which];
      if (which == 1) (void)getppid();
      if (which > 1) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  BusyCounters* counters_;
  pid_t pid_ = -1;
};

}  // namespace vitrine::host::testing
