#include "vitrine/host/guardian.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "vitrine/host/detached_process.h"

namespace vitrine::host {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kRetry{20};

}  // namespace

// Lives in memory that this process and the guardian share. An entry counts once `step` is set,
// which is the last thing to be written, and no longer once it is cleared.
struct Guardian::Journal {
  struct Entry {
    std::atomic<Step> step = nullptr;
    std::uint32_t order = 0;
    std::uint32_t size = 0;
    std::array<char, kMaximumArgument> argument{};

    std::string_view text() const {
      return {argument.data(), std::min<std::size_t>(size, kMaximumArgument)};
    }
  };
  std::array<Entry, kMaximumSteps> entries;
  std::uint32_t next_order = 1;
};

namespace {

// Runs `step` until it says that it is done.
bool run_until(Guardian::Step step, std::string_view argument, Clock::time_point deadline) {
  while (!step(argument)) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kRetry);
  }
  return true;
}

void sleep_until_closed(int lifeline) {
  char byte = 0;
  while (true) {
    const ssize_t got = read(lifeline, &byte, 1);
    if (got == 0 || (got < 0 && errno != EINTR)) return;
  }
}

}  // namespace

base::Result<std::unique_ptr<Guardian>> Guardian::start(std::span<const int> descriptors) {
  std::unique_ptr<Guardian> guardian(new Guardian);
  void* shared =
      mmap(nullptr, sizeof(Journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    return base::fail_errno(errno, "mmap", "cannot share memory with a guardian process");
  guardian->journal_ = new (shared) Journal;
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0)
    return base::fail_errno(errno, "pipe2", "cannot start a guardian process");
  base::FileDescriptor watched(pipe[0]);
  guardian->lifeline_ = base::FileDescriptor(pipe[1]);

  std::vector<int> kept(descriptors.begin(), descriptors.end());
  kept.push_back(watched.get());
  auto started = start_detached("vitrine-guard", kept,
                                [&guardian, &watched] { guardian->guard(watched.get()); });
  if (!started) return base::fail(started.error());
  return guardian;
}

// The guardian's whole life.
void Guardian::guard(int lifeline) {
  sleep_until_closed(lifeline);
  const Clock::time_point deadline = Clock::now() + std::chrono::seconds(kPatienceSeconds);
  std::vector<Journal::Entry*> noted;
  for (Journal::Entry& entry : journal_->entries)
    if (entry.step.load() != nullptr) noted.push_back(&entry);
  std::ranges::sort(noted, std::greater{}, &Journal::Entry::order);
  for (Journal::Entry* entry : noted) run_until(entry->step.load(), entry->text(), deadline);
}

Guardian::~Guardian() {
  // Closing the lifeline ends the guardian, which keeps its own mapping of the journal.
  if (journal_ != nullptr) munmap(journal_, sizeof(Journal));
}

base::Result<std::size_t> Guardian::note(Step step, std::string_view argument) {
  if (argument.size() > kMaximumArgument)
    return base::fail(base::Code::invalid, "what undoes a change is described by too long a text");
  for (std::size_t i = 0; i < journal_->entries.size(); ++i) {
    Journal::Entry& entry = journal_->entries[i];
    if (entry.step.load() != nullptr) continue;
    std::ranges::copy(argument, entry.argument.begin());
    entry.size = static_cast<std::uint32_t>(argument.size());
    entry.order = journal_->next_order++;
    entry.step.store(step);
    return i;
  }
  return base::fail(base::Code::invalid, "too many changes to a VM at a time");
}

base::Result<void> Guardian::run(std::size_t noted, std::chrono::milliseconds patience) {
  Journal::Entry& entry = journal_->entries.at(noted);
  const Step step = entry.step.load();
  if (step == nullptr) return {};
  if (!run_until(step, entry.text(), Clock::now() + patience))
    return base::fail(base::Code::timeout, "a change to the VM could not be undone in time",
                      "it is tried again when this program ends; check the VM's state afterwards");
  entry.step.store(nullptr);
  return {};
}

void Guardian::forget(std::size_t noted) { journal_->entries.at(noted).step.store(nullptr); }

}  // namespace vitrine::host
