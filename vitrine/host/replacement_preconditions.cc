#include "vitrine/host/replacement_preconditions.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include "vitrine/host/available_memory.h"
#include "vitrine/host/frame_comparison.h"
#include "vitrine/host/mappings.h"
#include "vitrine/host/page_transfer.h"
#include "vitrine/host/process.h"
#include "vitrine/host/replaceable_memory.h"

namespace vitrine::host {
namespace {

using base::Code;
using base::fail;

constexpr std::uint64_t kSpare = 256 << 20;         // bytes that are left to the host
constexpr std::uint64_t kDefaultMapCount = 65'530;  // DEFAULT_MAX_MAP_COUNT

// The files are filled while the memory is still there.
base::Result<void> enough_memory(pid_t process, std::span<const HostRange> ranges) {
  auto transfer = PageTransfer::open(process);
  if (!transfer) return fail(transfer.error());
  std::uint64_t pages = 0;
  for (const HostRange& range : ranges) {
    const auto populated = transfer->count_populated(range);
    if (!populated) return fail(populated.error());
    pages += *populated;
  }
  const std::uint64_t needed = pages * kHostPage + kSpare;
  const std::uint64_t available = available_memory();
  if (needed <= available) return {};
  return fail(Code::unsupported,
              fmt::format("the VM's memory is needed twice for a while, {} MiB, and this host has "
                          "{} MiB to give",
                          needed >> 20, available >> 20),
              "free memory on this host");
}

// What changed since a copy is told by page frames.
base::Result<void> changes_are_told() {
  const int page_of_ours = 1;
  auto frames = FrameComparison::open(getpid(), getpid());
  if (!frames) return fail(frames.error());
  std::array<std::uint8_t, 1> same{};
  const auto address = reinterpret_cast<std::uintptr_t>(&page_of_ours) & ~(kHostPage - 1);
  return frames->compare(base::HostVirtual(address), same);
}

base::Result<void> memory_can_be_moved_away() {
  void* page = mmap(nullptr, kHostPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return base::fail_errno(errno, "mmap", "cannot map a page");
  // glibc passes an undefined address with this flag (before 2.41).
  const long moved =
      syscall(SYS_mremap, page, kHostPage, kHostPage, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0L);
  const int error = errno;
  if (moved != -1) syscall(SYS_munmap, moved, kHostPage);
  munmap(page, kHostPage);
  if (moved != -1) return {};
  return base::fail_errno(error, "mremap",
                          "this host's kernel cannot move memory away (MREMAP_DONTUNMAP)",
                          "that takes Linux 5.7; use --technique process-vm");
}

// Each piece of memory is there twice for a moment, and its neighbours may be split.
base::Result<void> mappings_to_spare(pid_t process, std::size_t pieces) {
  const auto all = mappings(process);
  if (!all) return fail(all.error());
  const std::string text = read_file(ProcRoot().of("sys/vm/max_map_count")).value_or("");
  std::uint64_t most = kDefaultMapCount;
  std::from_chars(text.data(), text.data() + text.size(), most);
  if (all->size() + 4 * pieces + 16 <= most) return {};
  return fail(
      Code::unsupported,
      fmt::format("the VMM has {} of the {} mappings that a process may have", all->size(), most),
      "raise the sysctl vm.max_map_count");
}

}  // namespace

base::Result<void> can_be_replaced(pid_t pid, std::span<const HostRange> ranges) {
  const auto pieces = replaceable_pieces(pid, ranges);
  if (!pieces) return fail(pieces.error());
  if (auto told = changes_are_told(); !told) return told;
  if (auto moved = memory_can_be_moved_away(); !moved) return moved;
  if (auto spare = mappings_to_spare(pid, pieces->size()); !spare) return spare;
  return enough_memory(pid, ranges);
}

}  // namespace vitrine::host
