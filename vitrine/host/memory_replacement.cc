#include "vitrine/host/memory_replacement.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "vitrine/host/page_transfer.h"
#include "vitrine/host/replacement_file.h"
#include "vitrine/host/replacement_preconditions.h"
#include "vitrine/host/replacing_task.h"

namespace vitrine::host {
namespace {

constexpr std::chrono::milliseconds kPreparing{5'000};
constexpr std::chrono::milliseconds kExchanging{60'000};

}  // namespace

base::Result<MemoryReplacement> MemoryReplacement::start(const ProcessIdentity& process,
                                                         std::span<const HostRange> ranges) {
  if (auto possible = can_be_replaced(process.pid, ranges); !possible)
    return base::fail(possible.error());
  auto pieces = replaceable_pieces(process.pid, ranges);
  if (!pieces) return base::fail(pieces.error());
  auto keeper =
      Keeper::start(kKeeperName, [&] { return std::make_unique<ReplacingTask>(process); });
  if (!keeper) return base::fail(keeper.error());
  MemoryReplacement replacement(std::move(*keeper), process.pid, {ranges.begin(), ranges.end()},
                                std::move(*pieces));
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

base::Result<void> MemoryReplacement::check() const {
  const auto now = replaceable_pieces(process_, ranges_);
  if (!now) return base::fail(now.error());
  if (*now == pieces_) return {};
  return base::fail(base::Code::inconsistent, "the VMM's mappings changed meanwhile", "try again");
}

base::Result<MemoryReplacement::Replaced> MemoryReplacement::replace(pid_t copy,
                                                                     const Limits& limits) {
  const auto answer = keeper_.ask(fmt::format("{} {} {} {}", ReplacingTask::kReplace, copy,
                                              limits.pages, limits.copying.count()),
                                  limits.copying + kExchanging);
  if (!answer) return base::fail(answer.error());
  return Replaced{std::stoull(answer->at(0)), std::stoull(answer->at(1))};
}

}  // namespace vitrine::host
