#include "vitrine/host/memory_replacement.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "vitrine/host/available_memory.h"
#include "vitrine/host/page_transfer.h"
#include "vitrine/host/replacement_file.h"
#include "vitrine/host/replacing_task.h"

namespace vitrine::host {
namespace {

constexpr std::chrono::milliseconds kPreparing{5'000};
constexpr std::chrono::milliseconds kReplacing{60'000};
constexpr std::uint64_t kSpare = 256 << 20;  // bytes that are left to the host

// The files are filled while the memory is still there.
base::Result<void> enough_memory(pid_t process, std::span<const HostRange> ranges) {
  auto transfer = PageTransfer::open(process);
  if (!transfer) return base::fail(transfer.error());
  std::uint64_t pages = 0;
  for (const HostRange& range : ranges) {
    const auto populated = transfer->count_populated(range);
    if (!populated) return base::fail(populated.error());
    pages += *populated;
  }
  const std::uint64_t needed = pages * kHostPage + kSpare;
  const std::uint64_t available = available_memory();
  if (needed <= available) return {};
  return base::fail(base::Code::unsupported,
                    fmt::format("the VM's memory is needed twice for a while, {} MiB, and this "
                                "host has {} MiB to give",
                                needed >> 20, available >> 20),
                    "free memory on this host");
}

}  // namespace

base::Result<MemoryReplacement> MemoryReplacement::start(const ProcessIdentity& process,
                                                         std::span<const HostRange> ranges) {
  if (auto enough = enough_memory(process.pid, ranges); !enough) return base::fail(enough.error());
  auto keeper =
      Keeper::start(kKeeperName, [&] { return std::make_unique<ReplacingTask>(process); });
  if (!keeper) return base::fail(keeper.error());
  MemoryReplacement replacement(std::move(*keeper), process.pid, {ranges.begin(), ranges.end()});
  const auto answer = replacement.keeper_.ask(
      std::string(ReplacingTask::kPrepare) + ranges_text(ranges), kPreparing);
  if (!answer) return base::fail(answer.error());
  // A number and an inode each.
  for (std::size_t i = 0; i + 1 < answer->size(); i += 2) {
    auto file =
        open_replacement_file(process.pid, std::stoi((*answer)[i]), std::stoull((*answer)[i + 1]));
    if (!file) return base::fail(file.error());
    replacement.files_.push_back(std::move(file->file));
  }
  return replacement;
}

base::Result<std::uint64_t> MemoryReplacement::fill(pid_t copy, pid_t earlier) {
  auto transfer = PageTransfer::open(copy);
  if (!transfer) return base::fail(transfer.error());
  std::uint64_t pages = 0;
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    const auto copied = earlier == 0 ? transfer->copy_populated(ranges_[i], files_[i].get())
                                     : transfer->copy_changed(ranges_[i], earlier, files_[i].get());
    if (!copied) return base::fail(copied.error());
    pages += *copied;
  }
  return pages;
}

base::Result<std::uint64_t> MemoryReplacement::changed_since(pid_t copy) const {
  auto transfer = PageTransfer::open(process_);
  if (!transfer) return base::fail(transfer.error());
  std::uint64_t pages = 0;
  for (const HostRange& range : ranges_) {
    const auto changed = transfer->count_changed(range, copy);
    if (!changed) return base::fail(changed.error());
    pages += *changed;
  }
  return pages;
}

base::Result<MemoryReplacement::Replaced> MemoryReplacement::replace(pid_t copy) {
  const auto answer = keeper_.ask(fmt::format("{} {}", ReplacingTask::kReplace, copy), kReplacing);
  if (!answer) return base::fail(answer.error());
  return Replaced{std::stoull(answer->at(0)), std::stoull(answer->at(1))};
}

}  // namespace vitrine::host
