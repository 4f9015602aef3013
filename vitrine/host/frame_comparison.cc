#include "vitrine/host/frame_comparison.h"

#include <unistd.h>

#include <algorithm>

namespace vitrine::host {
namespace {

// So few that the host's kernel hardly has the time to move pages about between the readings.
constexpr std::size_t kAtOnce = 512;

bool hidden(const PagemapEntry& entry) { return entry.populated() && entry.location() == 0; }

base::Error not_told() {
  return {base::Code::denied, "this host does not tell us which page frames are used",
          "that takes CAP_SYS_ADMIN: run it with sudo"};
}

// Asked of a page of our own.
base::Result<void> frames_are_told() {
  const int here = 0;
  auto pagemap = Pagemap::open(getpid());
  if (!pagemap) return base::fail(pagemap.error());
  const auto address = reinterpret_cast<std::uint64_t>(&here);
  PagemapEntry entry;
  if (auto read =
          pagemap->read(base::HostVirtual(address / kHostPage * kHostPage), std::span(&entry, 1));
      !read)
    return read;
  return hidden(entry) ? base::fail(not_told()) : base::Result<void>();
}

bool same_page(const PagemapEntry& one, const PagemapEntry& other) {
  if (one.present() != other.present() || one.swapped() != other.swapped()) return false;
  return !one.populated() || one.location() == other.location();
}

}  // namespace

base::Result<FrameComparison> FrameComparison::open(pid_t earlier, pid_t later) {
  if (auto told = frames_are_told(); !told) return base::fail(told.error());
  auto before = Pagemap::open(earlier);
  if (!before) return base::fail(before.error());
  auto after = Pagemap::open(later);
  if (!after) return base::fail(after.error());
  return FrameComparison(std::move(*before), std::move(*after));
}

base::Result<void> FrameComparison::compare(base::HostVirtual start, std::span<std::uint8_t> same) {
  while (!same.empty()) {
    const std::size_t count = std::min(kAtOnce, same.size());
    before_.resize(count);
    after_.resize(count);
    again_.resize(count);
    // The first a second time: a frame that it gave up in between might be the other's now.
    for (const auto& [pagemap, entries] :
         {std::pair(&earlier_, &before_), std::pair(&later_, &after_),
          std::pair(&earlier_, &again_)})
      if (auto read = pagemap->read(start, *entries); !read) return read;
    if (std::ranges::any_of(before_, hidden) || std::ranges::any_of(after_, hidden))
      return base::fail(not_told());
    for (std::size_t i = 0; i < count; ++i)
      same[i] = same_page(before_[i], after_[i]) && same_page(before_[i], again_[i]) ? 1 : 0;
    same = same.subspan(count);
    start = start + count * kHostPage;
  }
  return {};
}

}  // namespace vitrine::host
