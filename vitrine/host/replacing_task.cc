#include "vitrine/host/replacing_task.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <utility>

#include "vitrine/host/page_transfer.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

constexpr std::chrono::milliseconds kStopping{1000};

// The call's answer; an errno as an error that names the call.
base::Result<std::uint64_t> made(const base::Result<std::int64_t>& answer, const char* call,
                                 const char* what) {
  if (!answer) return fail(answer.error());
  if (*answer < 0) return base::fail_errno(static_cast<int>(-*answer), call, what);
  return static_cast<std::uint64_t>(*answer);
}

// Puts a text where the process just mapped a page of its own for it.
base::Result<void> write_text(pid_t process, std::uint64_t address, std::string_view text) {
  const base::FileDescriptor memory(
      open(ProcRoot().of(process, "mem").c_str(), O_WRONLY | O_CLOEXEC));
  const std::string terminated = std::string(text) + '\0';
  if (memory.valid() &&
      pwrite(memory.get(), terminated.data(), terminated.size(), static_cast<off_t>(address)) ==
          static_cast<ssize_t>(terminated.size()))
    return {};
  return base::fail_errno(errno, "pwrite", "the VMM's new file cannot be named");
}

}  // namespace

ReplacingTask::~ReplacingTask() {
  if (replaced_) return;
  // What they hold is given back even if they cannot be closed.
  for (const ReplacementFile& file : files_) (void)ftruncate(file.file.get(), 0);
  if (numbers_.empty() || stuck_ || !alive(process_)) return;
  auto errand = stop();
  if (!errand) return;
  close_files(errand->calls());
  let_go(*errand);
}

// The process may have put something of its own there since.
void ReplacingTask::close_files(RemoteCalls& calls) {
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (open_replacement_file(process_.pid, numbers_[i], files_[i].inode))
      (void)calls.call(SYS_close, {static_cast<std::uint64_t>(numbers_[i])});
}

Task::Answer ReplacingTask::answer(std::string_view request) {
  if (request.starts_with(kPrepare))
    return prepare(ranges_of_text(request.substr(kPrepare.size())));
  std::istringstream words{std::string(request)};
  std::string verb;
  pid_t copy = 0;
  MemoryReplacement::Limits limits;
  std::chrono::milliseconds::rep milliseconds = 0;
  if (!(words >> verb >> copy >> limits.pages >> milliseconds) || verb != kReplace)
    return fail(Code::invalid, "who replaces the VM's memory does not know that request");
  limits.copying = std::chrono::milliseconds(milliseconds);
  return replace(copy, limits);
}

// A thread that could not be stopped is let go by this process's end only.
base::Result<RemoteErrand> ReplacingTask::stop() {
  auto errand = RemoteErrand::begin(process_, syscall_, kStopping);
  stuck_ = !errand;
  return errand;
}

void ReplacingTask::let_go(RemoteErrand& errand) { stuck_ = !errand.let_go(); }

Task::Answer ReplacingTask::prepare(std::vector<HostRange> ranges) {
  ranges_ = std::move(ranges);
  auto pieces = replaceable_pieces(process_.pid, ranges_);
  if (!pieces) return fail(pieces.error());
  pieces_ = std::move(*pieces);
  auto there = mapped();
  if (!there) return fail(there.error());
  mapped_ = std::move(*there);
  const auto found = find_syscall(process_.pid);
  if (!found) return fail(found.error());
  syscall_ = *found;
  auto errand = stop();
  if (!errand) return fail(errand.error());
  auto files = make_files(errand->calls());
  if (files) files = open_files();
  if (!files) discard_files(errand->calls());
  errand->end();
  let_go(*errand);
  if (!files) return fail(files.error());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    if (ftruncate(files_[i].file.get(), static_cast<off_t>(ranges_[i].size)) != 0)
      return base::fail_errno(errno, "ftruncate", "the VM's new memory cannot be as large");
    texts.push_back(std::to_string(numbers_[i]));
    texts.push_back(std::to_string(files_[i].inode));
  }
  return texts;
}

// In the stop in which they were made: the process had no time to put anything else there.
void ReplacingTask::discard_files(RemoteCalls& calls) {
  for (const int number : numbers_)
    (void)calls.call(SYS_close, {static_cast<std::uint64_t>(number)});
  numbers_.clear();
  files_.clear();
}

// In the same stop, too.
base::Result<void> ReplacingTask::open_files() {
  for (const int number : numbers_) {
    auto file = open_replacement_file(process_.pid, number, std::nullopt);
    if (!file) return fail(file.error());
    files_.push_back(std::move(*file));
  }
  return {};
}

// Their name lies in a page of its own meanwhile.
base::Result<void> ReplacingTask::make_files(RemoteCalls& calls) {
  const auto page = made(calls.call(SYS_mmap, {0, kHostPage, PROT_READ | PROT_WRITE,
                                               MAP_PRIVATE | MAP_ANONYMOUS, ~std::uint64_t{0}, 0}),
                         "mmap", "the VMM cannot be given a page");
  if (!page) return fail(page.error());
  auto result = write_text(process_.pid, *page, MemoryReplacement::kFileName);
  for (std::size_t i = 0; result && i < ranges_.size(); ++i) {
    const auto number = made(calls.call(SYS_memfd_create, {*page, MFD_CLOEXEC}), "memfd_create",
                             "the VMM cannot be given a file");
    if (number)
      numbers_.push_back(static_cast<int>(*number));
    else
      result = fail(number.error());
  }
  const auto unmapped =
      made(calls.call(SYS_munmap, {*page, kHostPage}), "munmap", "the VMM keeps a page");
  return result && !unmapped ? fail(unmapped.error()) : result;
}

// What the process has mapped in the ranges.
base::Result<std::vector<Mapping>> ReplacingTask::mapped() const {
  auto all = mappings(process_.pid);
  if (!all) return all;
  std::erase_if(*all, [this](const Mapping& mapping) {
    return std::ranges::none_of(ranges_, [&mapping](const HostRange& range) {
      return mapping.start < range.end() && range.start < mapping.end;
    });
  });
  return all;
}

base::Result<void> ReplacingTask::undisturbed(const RemoteErrand& errand) const {
  if (abandoned()) return fail(Code::gone, "nobody waits for the VM's new memory any more");
  if (!errand.unstoppable().empty())
    return fail(Code::unsupported, fmt::format("the host kernel's thread {} may write to the VM's "
                                               "memory while it is replaced",
                                               errand.unstoppable().front()));
  if (auto free = nothing_pinned(process_.pid); !free) return free;
  const auto now = mapped();
  if (!now) return fail(now.error());
  if (*now != mapped_)
    return fail(Code::inconsistent, "the VMM's mappings changed meanwhile", "try again");
  return {};
}

base::Result<std::uint64_t> ReplacingTask::copy_changed(pid_t copy,
                                                        const TransferLimits& limits) const {
  auto transfer = PageTransfer::open(process_.pid);
  if (!transfer) return fail(transfer.error());
  TransferLimits left = limits;
  std::uint64_t pages = 0;
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    const auto copied = transfer->copy_changed(ranges_[i], copy, files_[i].file.get(), left);
    if (!copied) return fail(copied.error());
    pages += *copied;
    left.pages = limits.pages - std::min(limits.pages, pages);
  }
  return pages;
}

Task::Answer ReplacingTask::replace(pid_t copy, const MemoryReplacement::Limits& limits) {
  if (files_.empty() || replaced_)
    return fail(Code::invalid, "there is no file to take the place of the VM's memory");
  auto errand = stop();
  if (!errand) return fail(errand.error());
  auto allowed = undisturbed(*errand);
  const TransferLimits copying{limits.pages, std::chrono::steady_clock::now() + limits.copying};
  const auto pages = allowed ? copy_changed(copy, copying) : fail(allowed.error());
  const auto exchanged = pages ? exchange(errand->calls()) : fail(pages.error());
  const std::chrono::nanoseconds stopped = errand->end();
  let_go(*errand);
  if (!exchanged) return fail(exchanged.error());
  return std::vector<std::string>{std::to_string(stopped.count()), std::to_string(*pages)};
}

base::Result<void> ReplacingTask::exchange(RemoteCalls& calls) {
  for (const ReplaceablePiece& piece : pieces_)
    if (auto done = exchange(calls, piece); !done) {
      if (auto back = move_back(calls); !back) return back;
      return done;
    }
  // From here on the files are the memory: what was is of no use any more.
  replaced_ = true;
  for (const Moved& moved : moved_)
    (void)calls.call(SYS_munmap, {moved.to.value, moved.piece.size});
  moved_.clear();
  return {};
}

base::Result<void> ReplacingTask::exchange(RemoteCalls& calls, const ReplaceablePiece& piece) {
  const auto away = made(calls.call(SYS_mremap, {piece.start.value, piece.size, piece.size,
                                                 MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0}),
                         "mremap", "the VM's memory cannot be moved away");
  if (!away) return fail(away.error());
  moved_.push_back({piece, base::HostVirtual(*away)});
  if (auto mapped = map_file(calls, piece); !mapped) return mapped;
  for (const int advice : piece.advices)
    (void)calls.call(SYS_madvise,
                     {piece.start.value, piece.size, static_cast<std::uint64_t>(advice)});
  return {};
}

base::Result<void> ReplacingTask::map_file(RemoteCalls& calls, const ReplaceablePiece& piece) {
  const HostRange& range = ranges_[piece.range];
  const auto mapped =
      made(calls.call(SYS_mmap, {piece.start.value, piece.size, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
                                 static_cast<std::uint64_t>(numbers_[piece.range]),
                                 piece.start - range.start}),
           "mmap", "the VM's new memory cannot be mapped");
  if (!mapped) return fail(mapped.error());
  return {};
}

// Where the host refuses even that, the file takes the memory's place: it holds the same, and must
// be kept.
base::Result<void> ReplacingTask::move_back(RemoteCalls& calls) {
  base::Result<void> result;
  for (const Moved& moved : moved_) {
    const auto back =
        made(calls.call(SYS_mremap, {moved.to.value, moved.piece.size, moved.piece.size,
                                     MREMAP_MAYMOVE | MREMAP_FIXED, moved.piece.start.value}),
             "mremap", "the VM's memory cannot be moved back");
    if (back) continue;
    replaced_ = true;
    if (auto mapped = map_file(calls, moved.piece); !mapped)
      result = fail(Code::inconsistent,
                    fmt::format("part of the VM's memory is lost: the host let it be moved away, "
                                "but neither moved back ({}) nor replaced ({})",
                                back.error().message, mapped.error().message),
                    "end the VM and start it again");
  }
  moved_.clear();
  return result;
}

}  // namespace vitrine::host
