#include "vitrine/host/copying_task.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <thread>

#include "vitrine/host/detached_process.h"
#include "vitrine/host/vm_flags.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

// Where the child's stack would be: should it ever run on, it dies of its first use of it.
constexpr std::uint64_t kNoStack = 16;
constexpr std::uint64_t kPage = 4096;

// To collect the remains of a copy: a minute in all.
constexpr int kAttempts = 200;
constexpr std::chrono::milliseconds kBetweenAttempts{300};

std::vector<CopiedRange> ranges_of(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  while (text.starts_with(' ')) {
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data() + 1, text.data() + text.size(), number, 16);
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    numbers.push_back(number);
  }
  std::vector<CopiedRange> ranges;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2)
    ranges.push_back({base::HostVirtual(numbers[i]), numbers[i + 1]});
  return ranges;
}

// Bytes that the host could give without swapping (proc(5), MemAvailable); 0 where it doesn't tell.
std::uint64_t available_memory() {
  const std::string text = read_file(ProcRoot().of("meminfo")).value_or("");
  const auto line = text.find("MemAvailable:");
  const auto digits = text.find_first_of("0123456789", line);
  std::uint64_t kibibytes = 0;
  if (line != std::string::npos && digits != std::string::npos)
    std::from_chars(text.data() + digits, text.data() + text.size(), kibibytes);
  return kibibytes << 10;
}

std::uint64_t minor_faults(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat ? stat->minor_faults : 0;
}

base::Error no_copy(std::string why) {
  return {Code::unsupported, "the VM's memory cannot be copied, since " + std::move(why),
          "use --technique background-snapshot or dump"};
}

// Takes what is already known to be a child of ours out of its stop, to be killed for good.
void end_traced(pid_t child) {
  kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status))
    ptrace(PTRACE_CONT, child, 0L, 0L);
}

}  // namespace

CopyingTask::~CopyingTask() {
  kill_child();
  if (!stuck_) collect_remains();
  if (dead_.empty()) return;
  // By another process, since this one has to end to let a thread go that could not be stopped.
  (void)start_detached("vitrine-copy", {}, [this] { collect_persistently(); });
}

// Each attempt in a process of its own, whose end lets everything go.
void CopyingTask::collect_persistently() {
  const auto remains = [](pid_t child) {
    const auto stat = process_stat(child);
    return stat && stat->state == 'Z';
  };
  for (int i = 0; i < kAttempts && std::ranges::any_of(dead_, remains); ++i) {
    if (const pid_t attempt = fork(); attempt == 0) {
      collect_remains();
      _exit(0);
    } else {
      waitpid(attempt, nullptr, 0);
    }
    std::this_thread::sleep_for(kBetweenAttempts);
  }
}

Task::Answer CopyingTask::answer(std::string_view request) {
  if (request.starts_with(kTake)) return take(ranges_of(request.substr(kTake.size())));
  if (request == kCheck) return check();
  kill_child();
  collect_remains();
  return std::vector<std::string>{};
}

Task::Answer CopyingTask::check() const {
  if (child_ != 0) return std::vector<std::string>{};
  if (lost_.message.empty()) return fail(Code::absent, "there is no copy of the VM");
  return fail(lost_);
}

void CopyingTask::look_after() {
  if (child_ == 0) return collect_remains();
  if (!alive(process_)) return kill_child();
  const std::uint64_t faults = minor_faults(process_.pid);
  if (faults - std::min(faults, faults_before_) <= growth_ / kPage) return;
  kill_child();
  lost_ = {Code::gone,
           fmt::format("the copy of the VM was given up: what the VM wrote since then took {} MiB "
                       "more of this host's memory, and it may take no more",
                       growth_ >> 20),
           "ask for less at a time, or free memory on this host"};
}

Task::Answer CopyingTask::take(const std::vector<CopiedRange>& ranges) {
  kill_child();
  lost_ = {};
  const auto marked_ranges = marked(ranges);
  if (!marked_ranges) return fail(marked_ranges.error());
  if (!syscall_) {
    const auto found = find_syscall(process_.pid);
    if (!found) return fail(found.error());
    syscall_ = *found;
  }
  growth_ = limits_.growth != 0 ? limits_.growth : available_memory() / 2;
  auto errand = begin_errand();
  if (!errand) return fail(errand.error());
  collect_remains(errand->calls());
  faults_before_ = minor_faults(process_.pid);
  const auto child = clone(errand->calls(), *marked_ranges);
  const std::chrono::nanoseconds stopped = errand->end();
  if (!child) return fail(child.error());
  child_ = *child;
  settle_child();
  return std::vector<std::string>{std::to_string(child_), std::to_string(stopped.count())};
}

base::Result<RemoteErrand> CopyingTask::begin_errand() {
  auto errand = RemoteErrand::begin(process_, *syscall_, limits_.stopping);
  if (!errand) stuck_ = errand.error().code == Code::timeout;
  return errand;
}

// What of the ranges is marked as not to be copied. Errors: `unsupported` where they are memory
// that a copy does not copy, or that somebody else writes to.
base::Result<std::vector<CopiedRange>> CopyingTask::marked(
    const std::vector<CopiedRange>& ranges) const {
  const auto mappings = vm_flags(process_.pid);
  if (!mappings) return fail(mappings.error());
  std::vector<CopiedRange> found;
  for (const CopiedRange& range : ranges) {
    for (const FlaggedMapping& mapping : *mappings) {
      const base::HostVirtual start = std::max(range.start, mapping.start);
      const base::HostVirtual end = std::min(range.start + range.size, mapping.end);
      if (start >= end) continue;
      if (mapping.has("sh")) return fail(no_copy("it is shared with others"));
      if (mapping.has("ht")) return fail(no_copy("it is made of reserved huge pages"));
      if (mapping.has("um") || mapping.has("uw") || mapping.has("ui"))
        return fail(no_copy("userfaultfd watches it: a migration or a snapshot is under way"));
      if (mapping.has("dc")) found.push_back({start, end - start});
    }
  }
  return found;
}

// The marks are set back whatever happens in between.
base::Result<pid_t> CopyingTask::clone(RemoteCalls& calls, const std::vector<CopiedRange>& marked) {
  const auto advise = [&](int advice) -> base::Result<void> {
    for (const CopiedRange& range : marked) {
      const auto done = calls.call(
          SYS_madvise, {range.start.value, range.size, static_cast<std::uint64_t>(advice)});
      if (!done) return fail(done.error());
      if (*done < 0)
        return base::fail_errno(static_cast<int>(-*done), "madvise",
                                "the VM's memory cannot be marked to be copied");
    }
    return {};
  };
  const auto advised = advise(MADV_DOFORK);
  // No exit signal: the process hears nothing of it.
  const auto cloned = advised ? calls.call(SYS_clone, {0, kNoStack})
                              : base::Result<std::int64_t>(fail(advised.error()));
  const auto started = calls.started();
  if (started) {
    int status = 0;
    waitpid(*started, &status, __WALL);
    ptrace(PTRACE_SETOPTIONS, *started, 0L, static_cast<long>(PTRACE_O_EXITKILL));
  }
  const auto restored = advise(MADV_DONTFORK);
  if (!cloned) return fail(cloned.error());
  if (*cloned < 0)
    return base::fail_errno(static_cast<int>(-*cloned), "clone",
                            "the VMM's process cannot be copied");
  if (!started) return fail(Code::inconsistent, "the copy of the VMM's process is not traced");
  if (!restored) {
    end_traced(*started);
    dead_.push_back(*started);
    return fail(restored.error());
  }
  return *started;
}

// Has the copy hold nothing but memory, and be the first to go where that runs out.
void CopyingTask::settle_child() {
  if (auto calls = RemoteCalls::begin(child_, *syscall_))
    (void)calls->call(SYS_close_range, {0, ~std::uint32_t{0}, 0});
  std::ofstream(ProcRoot().of(child_, "oom_score_adj")) << 1000;
}

void CopyingTask::kill_child() {
  if (child_ == 0) return;
  end_traced(child_);
  dead_.push_back(std::exchange(child_, 0));
}

void CopyingTask::collect_remains() {
  if (!alive(process_)) dead_.clear();  // whoever inherited them collects them
  if (dead_.empty() || !syscall_) return;
  if (auto errand = begin_errand()) collect_remains(errand->calls());
}

void CopyingTask::collect_remains(RemoteCalls& calls) {
  std::erase_if(dead_, [&calls](pid_t child) {
    const auto got = calls.call(SYS_wait4, {static_cast<std::uint64_t>(child), 0,
                                            static_cast<std::uint64_t>(__WALL | WNOHANG)});
    return got && *got != 0;
  });
}

}  // namespace vitrine::host
