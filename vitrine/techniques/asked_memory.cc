#include "vitrine/techniques/asked_memory.h"

#include <algorithm>
#include <cstring>

namespace vitrine::techniques {

using memory::ReadRequest;
using memory::ReadStatus;

AskedMemory::AskedMemory(PopulatedPages pages, Asker& asker, Merging merging)
    : pages_(std::move(pages)),
      asker_(asker),
      merging_{merging.gap, std::min(merging.piece, kScratch)} {}

void AskedMemory::read(std::span<ReadRequest> requests) {
  wanted_.clear();
  for (ReadRequest& request : requests) {
    request.status = pages_.find(request.address, request.into.size()).status;
    if (request.status == ReadStatus::ok) wanted_.push_back(&request);
  }
  std::ranges::stable_sort(wanted_, {},
                           [](const ReadRequest* request) { return request->address; });
  group();
  if (groups_.empty()) return;
  // As many at once as the scratch memory of the joined ones allows.
  std::size_t first = 0;
  std::uint64_t scratch = 0;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const std::uint64_t size = groups_[i].count > 1 ? groups_[i].range.size : 0;
    if (scratch + size > kScratch) {
      ask(std::span(groups_).subspan(first, i - first));
      first = i;
      scratch = 0;
    }
    scratch += size;
  }
  ask(std::span(groups_).subspan(first));
}

void AskedMemory::group() {
  groups_.clear();
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const ReadRequest& next = *wanted_[i];
    if (groups_.empty() || !joins(groups_.back(), next)) {
      groups_.push_back({{next.address, next.into.size()}, i, 1});
      continue;
    }
    Group& group = groups_.back();
    const auto end = std::max(group.range.end(), next.address + next.into.size());
    group.range.size = end - group.range.start;
    ++group.count;
  }
}

bool AskedMemory::joins(const Group& group, const ReadRequest& next) {
  const base::GuestPhysical end = group.range.end();
  const auto joined_end = std::max(end, next.address + next.into.size());
  if (joined_end - group.range.start > merging_.piece) return false;
  if (next.address <= end) return true;
  if (next.address - end > merging_.gap) return false;
  // One range of RAM, with no hole in it, from where the group ends to where the next one begins.
  const base::GuestPhysical last = end - 1;
  return pages_.find(last, next.address - last + 1).status == ReadStatus::ok;
}

void AskedMemory::ask(std::span<const Group> groups) {
  pieces_.clear();
  std::uint64_t scratch = 0;
  for (const Group& group : groups)
    if (group.count > 1) scratch += group.range.size;
  scratch_.resize(scratch);
  scratch = 0;
  for (const Group& group : groups) {
    if (group.count == 1) {
      pieces_.push_back({group.range.start, wanted_[group.first]->into});
    } else {
      pieces_.push_back(
          {group.range.start, std::span(scratch_).subspan(scratch, group.range.size)});
      scratch += group.range.size;
    }
  }
  asker_.read(pieces_);
  for (std::size_t i = 0; i < groups.size(); ++i) hand_out(groups[i], pieces_[i]);
}

void AskedMemory::hand_out(const Group& group, const ReadRequest& piece) {
  for (ReadRequest* request : std::span(wanted_).subspan(group.first, group.count)) {
    request->status = piece.status;
    if (group.count == 1 || piece.status != ReadStatus::ok) continue;
    const auto from = piece.into.subspan(request->address - group.range.start);
    std::memcpy(request->into.data(), from.data(), request->into.size());
  }
}

}  // namespace vitrine::techniques
