#include "vitrine/host/page_transfer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "vitrine/host/frame_comparison.h"
#include "vitrine/host/rights.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kPagesAtOnce = 512;  // pages

bool all_zero(std::span<const std::byte> page) {
  return page.front() == std::byte{} &&
         std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0;
}

base::Result<void> write_whole(std::span<const std::byte> bytes, int file, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t wrote = pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (wrote <= 0)
      return base::fail_errno(errno, "pwrite", "the VM's memory cannot be copied",
                              "free memory on this host, or raise the limits of its cgroup");
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    offset += static_cast<std::uint64_t>(wrote);
  }
  return {};
}

base::Result<void> punch(int file, std::uint64_t offset, std::uint64_t bytes) {
  if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                static_cast<off_t>(bytes)) == 0)
    return {};
  return base::fail_errno(errno, "fallocate", "the VM's memory cannot be copied");
}

base::Result<void> check(const TransferLimits& limits, std::uint64_t copied) {
  if (copied > limits.pages)
    return fail(Code::timeout,
                "the guest wrote to more of its memory than may be copied while it "
                "stands still",
                "try again when it writes less");
  if (std::chrono::steady_clock::now() > limits.until)
    return fail(Code::timeout, "copying what the guest wrote takes longer than it may stand still",
                "try again when it, or this host, is less busy");
  return {};
}

// Calls `piece(start, offset, pages)` for each part of the range that is handled at once.
template <class Piece>
base::Result<std::uint64_t> in_pieces(const HostRange& range, const Piece& piece) {
  std::uint64_t sum = 0;
  for (std::uint64_t at = 0; at < range.size; at += kPagesAtOnce * kHostPage) {
    const std::size_t pages = std::min<std::uint64_t>(kPagesAtOnce, (range.size - at) / kHostPage);
    base::Result<std::uint64_t> done = piece(range.start + at, at, pages);
    if (!done) return done;
    sum += *done;
  }
  return sum;
}

}  // namespace

base::Result<PageTransfer> PageTransfer::open(pid_t from) {
  auto pagemap = Pagemap::open(from);
  if (!pagemap) return fail(pagemap.error());
  base::FileDescriptor memory(::open(ProcRoot().of(from, "mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory.valid()) return fail(explain_denial(from));
  return PageTransfer(from, std::move(memory), std::move(*pagemap));
}

base::Result<std::uint64_t> PageTransfer::count_populated(const HostRange& range) {
  return in_pieces(range,
                   [&](auto start, auto /*offset*/, auto pages) -> base::Result<std::uint64_t> {
                     entries_.resize(pages);
                     if (auto read = pagemap_.read(start, entries_); !read)
                       return fail(read.error());
                     return std::ranges::count_if(entries_, &PagemapEntry::populated);
                   });
}

base::Result<std::uint64_t> PageTransfer::count_changed(const HostRange& range, pid_t earlier) {
  auto frames = FrameComparison::open(earlier, from_);
  if (!frames) return fail(frames.error());
  std::vector<std::uint8_t> same;
  return in_pieces(range,
                   [&](auto start, auto /*offset*/, auto pages) -> base::Result<std::uint64_t> {
                     same.resize(pages);
                     if (auto compared = frames->compare(start, same); !compared)
                       return fail(compared.error());
                     return std::ranges::count(same, 0);
                   });
}

base::Result<std::uint64_t> PageTransfer::copy_populated(const HostRange& range, int file) {
  return in_pieces(range, [&](auto start, auto offset, auto pages) -> base::Result<std::uint64_t> {
    entries_.resize(pages);
    if (auto read = pagemap_.read(start, entries_); !read) return fail(read.error());
    return copy_where(start, offset, file, [](std::size_t) { return true; });
  });
}

base::Result<std::uint64_t> PageTransfer::copy_changed(const HostRange& range, pid_t earlier,
                                                       int file, const TransferLimits& limits) {
  auto frames = FrameComparison::open(earlier, from_);
  if (!frames) return fail(frames.error());
  std::vector<std::uint8_t> same;
  std::uint64_t copied = 0;
  return in_pieces(range, [&](auto start, auto offset, auto pages) -> base::Result<std::uint64_t> {
    if (auto within = check(limits, copied); !within) return fail(within.error());
    same.resize(pages);
    if (auto compared = frames->compare(start, same); !compared) return fail(compared.error());
    if (std::ranges::find(same, 0) == same.end()) return 0;
    entries_.resize(pages);
    if (auto read = pagemap_.read(start, entries_); !read) return fail(read.error());
    // What is zero now, or gone, may have been neither.
    for (std::size_t i = 0; i < pages; ++i)
      if (same[i] == 0)
        if (auto done = punch(file, offset + i * kHostPage, kHostPage); !done)
          return fail(done.error());
    auto now = copy_where(start, offset, file, [&](std::size_t i) { return same[i] == 0; });
    copied += now.value_or(0);
    return now;
  });
}

template <class Wanted>
base::Result<std::uint64_t> PageTransfer::copy_where(base::HostVirtual start, std::uint64_t offset,
                                                     int file, const Wanted& wanted) {
  std::uint64_t copied = 0;
  for (std::size_t i = 0; i < entries_.size();) {
    std::size_t end = i;
    while (end < entries_.size() && entries_[end].populated() && wanted(end)) ++end;
    if (end > i) {
      auto done = copy_run(start + i * kHostPage, end - i, file, offset + i * kHostPage);
      if (!done) return fail(done.error());
      copied += end - i;
    }
    i = std::max(end, i + 1);
  }
  return copied;
}

base::Result<void> PageTransfer::copy_run(base::HostVirtual start, std::uint64_t pages, int file,
                                          std::uint64_t offset) {
  buffer_.resize(pages * kHostPage);
  const ssize_t got =
      pread(memory_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(start.value));
  if (got == 0) return fail(Code::gone, "the process whose memory is being copied has ended");
  if (got != static_cast<ssize_t>(buffer_.size()))
    return fail(Code::unreadable, "a page of the VM's memory could not be read");
  return write_run(pages, file, offset);
}

// But for the pages that are zero: they are holes of the file.
base::Result<void> PageTransfer::write_run(std::uint64_t pages, int file, std::uint64_t offset) {
  const auto page = [this](std::uint64_t i) {
    return std::span(buffer_).subspan(i * kHostPage, kHostPage);
  };
  for (std::uint64_t i = 0; i < pages;) {
    std::uint64_t end = i;
    while (end < pages && !all_zero(page(end))) ++end;
    if (end > i) {
      const auto bytes = std::span(buffer_).subspan(i * kHostPage, (end - i) * kHostPage);
      if (auto done = write_whole(bytes, file, offset + i * kHostPage); !done) return done;
    }
    i = std::max(end, i + 1);
  }
  return {};
}

}  // namespace vitrine::host
