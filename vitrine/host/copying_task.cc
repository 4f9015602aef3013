#include "vitrine/host/copying_task.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "vitrine/host/available_memory.h"
#include "vitrine/host/copy_preconditions.h"
#include "vitrine/host/orphan_copy.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;
using base::kPage;

std::uint64_t minor_faults(pid_t pid) {
  const auto stat = process_stat(pid);
  return stat ? stat->minor_faults : 0;
}

}  // namespace

CopyingTask::~CopyingTask() {
  kill_child();
  if (can_be_found()) unlink(path_.c_str());
}

Task::Answer CopyingTask::answer(std::string_view request) {
  if (request.starts_with(kTake)) return take(ranges_of_text(request.substr(kTake.size())));
  if (request == kCheck) return check();
  if (request.starts_with(kHold)) return hold(request.substr(kHold.size()));
  if (request == kDescribe) return describe();
  if (request != kDrop && request != kRelease)
    return fail(Code::invalid, "who keeps the copy of the VM does not know that request");
  released_ = request == kRelease;
  kill_child();
  return std::vector<std::string>{};
}

Task::Answer CopyingTask::check() {
  look_after();
  if (child_ != 0) return std::vector<std::string>{};
  if (lost_.message.empty()) return fail(Code::absent, "there is no copy of the VM");
  return fail(lost_);
}

Task::Answer CopyingTask::hold(std::string_view time_and_path) {
  if (auto there = check(); !there) return there;
  std::int64_t seconds = 0;
  const char* const end = time_and_path.data() + time_and_path.size();
  const auto parsed =
      std::from_chars(time_and_path.data() + (time_and_path.empty() ? 0 : 1), end, seconds);
  if (parsed.ec != std::errc() || parsed.ptr == end)
    return fail(Code::invalid, "it was not said for how long and where a copy is to be held");
  std::filesystem::path path(parsed.ptr + 1, end);
  auto listening = listen_at(path);
  if (!listening) return fail(listening.error());
  listener_ = std::move(*listening);
  path_ = std::move(path);
  struct stat info {};
  if (lstat(path_.c_str(), &info) == 0) socket_ = info.st_ino;
  until_ = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  return std::vector<std::string>{};
}

// Whether the socket is still there, and not another one of that name.
bool CopyingTask::can_be_found() const {
  struct stat info {};
  return listener_.valid() && lstat(path_.c_str(), &info) == 0 && info.st_ino == socket_;
}

Task::Answer CopyingTask::describe() {
  if (auto there = check(); !there) return there;
  return std::vector<std::string>{std::to_string(child_), std::to_string(process_.pid),
                                  std::to_string(process_.start_time), ranges_text(ranges_)};
}

void CopyingTask::look_after() {
  if (listener_.valid() &&
      (std::chrono::steady_clock::now() > until_ || !can_be_found() || !alive(process_)))
    released_ = true;
  if (child_ == 0) return;
  if (!alive(process_)) return kill_child();
  int status = 0;
  const pid_t ended = waitpid(child_, &status, __WALL | WNOHANG);
  if (ended != 0 && !(ended == child_ && WIFSTOPPED(status))) {
    child_ = 0;
    lost_ = {Code::gone, "the copy of the VM was ended by somebody else",
             "this host may have run out of memory: free some, and try again"};
    return;
  }
  const std::uint64_t faults = minor_faults(process_.pid);
  if (faults - std::min(faults, faults_before_) <= growth_ / kPage) return;
  kill_child();
  lost_ = {Code::gone,
           fmt::format("the copy of the VM was given up: what the VM wrote since then took {} MiB "
                       "more of this host's memory, and it may take no more",
                       growth_ >> 20),
           "ask for less at a time, or free memory on this host"};
}

Task::Answer CopyingTask::take(const std::vector<HostRange>& ranges) {
  kill_child();
  lost_ = {};
  const auto marked = marked_ranges(process_.pid, ranges);
  if (!marked) return fail(marked.error());
  if (!syscall_) {
    const auto found = find_syscall(process_.pid);
    if (!found) return fail(found.error());
    syscall_ = *found;
  }
  growth_ = limits_.growth != 0 ? limits_.growth : available_memory() / 2;
  auto errand = RemoteErrand::begin(process_, *syscall_, limits_.stopping);
  stuck_ = !errand;
  if (!errand) return fail(errand.error());
  faults_before_ = minor_faults(process_.pid);
  const auto child = clone_unless_disturbed(*errand, *marked);
  const std::chrono::nanoseconds stopped = errand->end();
  stuck_ = !errand->let_go();
  if (!child) return fail(child.error());
  child_ = *child;
  ranges_ = ranges;
  if (auto settled = settle_copy(child_, *syscall_); !settled) {
    kill_child();
    return fail(settled.error());
  }
  return std::vector<std::string>{std::to_string(child_), std::to_string(stopped.count())};
}

// While nothing of the process runs, what its monitor was told to stop stays stopped; but only if
// who told it so is still there, since its guardian lets the VM go on otherwise.
base::Result<pid_t> CopyingTask::clone_unless_disturbed(RemoteErrand& errand,
                                                        const std::vector<HostRange>& marked) {
  if (abandoned()) return fail(Code::gone, "nobody waits for the copy of the VM any more");
  if (!errand.unstoppable().empty())
    return fail(cannot_be_copied(
        fmt::format("the host kernel's thread {} may write to it", errand.unstoppable().front())));
  return clone(errand.calls(), marked);
}

// The marks are set back whatever happens in between.
base::Result<pid_t> CopyingTask::clone(RemoteCalls& calls, const std::vector<HostRange>& marked) {
  const auto advise = [&](int advice) -> base::Result<void> {
    for (const HostRange& range : marked) {
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
  auto copy = advised ? clone_orphan(calls, *syscall_) : fail(advised.error());
  const auto restored = advise(MADV_DONTFORK);
  if (restored || !copy) return copy;
  end_traced(*copy);
  return fail(restored.error());
}

void CopyingTask::kill_child() {
  if (child_ != 0) end_traced(std::exchange(child_, 0));
}

}  // namespace vitrine::host
