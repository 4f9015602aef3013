#include "vitrine/memory/gather_reader.h"

#include <algorithm>

namespace vitrine::memory {
namespace {

constexpr std::uint64_t kLine = 64;

}  // namespace

GatherReader::GatherReader(PhysicalMemory& memory) : memory_(memory), table_(1024, kNone) {}

void GatherReader::begin() {
  memory_.begin_observation();
  cost_ = {};
  const auto unused = static_cast<std::size_t>(
      std::ranges::count_if(spans_, [this](const Span& span) { return unused_for_long(span); }));
  if (!planned_ || unused > spans_.size() / 8) plan();
  gather();
  ++observation_;
}

// Drops the spans that were not used for long, and lays the others out in the arena in
// the order of their addresses, neighbours joined into one request.
void GatherReader::plan() {
  std::erase_if(spans_, [this](const Span& span) { return unused_for_long(span); });
  std::ranges::sort(spans_, {}, &Span::page);
  requests_.clear();
  request_spans_.clear();
  std::size_t end = 0;
  std::vector<std::size_t> starts;
  // Ranges of RAM may touch, but a request must not cross from one to the other.
  const auto same_range = [this](std::uint64_t page) {
    return std::ranges::any_of(memory_.ram(), [page](const Range& range) {
      return range.contains(base::GuestPhysical((page - 1) * kPage), 2 * kPage);
    });
  };
  for (std::uint32_t index = 0; index < spans_.size(); ++index) {
    Span& span = spans_[index];
    const bool joins = index > 0 && spans_[index - 1].page + 1 == span.page &&
                       spans_[index - 1].status == ReadStatus::ok &&
                       span.status == ReadStatus::ok && same_range(span.page) &&
                       requests_.back().into.size() < kPage * 8;
    if (joins) {
      // The gap from the last span to this one lies within these two pages, both wanted anyway.
      Span& before = spans_[index - 1];
      end += kPage - before.high;
      before.high = kPage;
      span.low = 0;
    } else {
      requests_.push_back({base::GuestPhysical(span.page * kPage + span.low), {}});
      request_spans_.push_back(index);
      starts.push_back(end);
    }
    span.bytes = static_cast<std::uint32_t>(end);
    end += static_cast<std::size_t>(span.high - span.low);
  }
  arena_.resize(end);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const std::size_t stop = i + 1 < starts.size() ? starts[i + 1] : end;
    requests_[i].into = std::span(arena_).subspan(starts[i], stop - starts[i]);
  }
  std::size_t buckets = 1024;
  while (buckets < spans_.size() * 4) buckets *= 2;
  table_.assign(buckets, kNone);
  for (std::uint32_t index = 0; index < spans_.size(); ++index) insert(index);
  planned_ = true;
}

void GatherReader::gather() {
  if (requests_.empty()) return;
  memory_.read(requests_);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const std::size_t stop = i + 1 < requests_.size() ? request_spans_[i + 1] : spans_.size();
    for (std::size_t index = request_spans_[i]; index < stop; ++index)
      spans_[index].status = requests_[i].status;
    // A joined request that failed may hold pages that can be read: plan them anew, apart.
    if (requests_[i].status != ReadStatus::ok) planned_ = false;
    ++cost_.reads;
    cost_.bytes += requests_[i].into.size();
  }
  if (planned_) return;
  std::erase_if(spans_, [](const Span& span) { return span.status != ReadStatus::ok; });
  std::ranges::fill(table_, kNone);
  for (std::uint32_t index = 0; index < spans_.size(); ++index) insert(index);
}

void GatherReader::insert(std::uint32_t index) {
  std::size_t at = hash(spans_[index].page);
  while (table_[at] != kNone) at = (at + 1) & (table_.size() - 1);
  table_[at] = index;
}

const std::byte* GatherReader::fetch(base::GuestPhysical at, std::uint64_t size) {
  const std::uint64_t page = at.value / kPage;
  std::uint64_t low = at.value % kPage;
  if (size == 0 || low + size > kPage) {
    status_ = ReadStatus::failed;
    return nullptr;
  }
  std::uint64_t high = std::min(kPage, (low + size + kLine - 1) / kLine * kLine);
  low = low / kLine * kLine;
  Span* known = lookup(page);
  // A page that turns out to be wanted in more than one place is wanted whole: growing it line by
  // line would read it many times over.
  if (known != nullptr) {
    low = 0;
    high = kPage;
  }
  const bool full = arena_.size() + (high - low) > kArenaLimit;
  if (full) {
    overflow_.resize(size);
    ++cost_.reads;
    cost_.bytes += size;
    status_ = memory_.read(at, overflow_);
    return status_ == ReadStatus::ok ? overflow_.data() : nullptr;
  }
  const std::size_t start = arena_.size();
  arena_.resize(start + (high - low));
  const auto into = std::span(arena_).subspan(start);
  const ReadStatus status = memory_.read(base::GuestPhysical(page * kPage + low), into);
  ++cost_.reads;
  cost_.bytes += into.size();
  planned_ = false;
  const Span span{
      page,         static_cast<std::uint16_t>(low),  static_cast<std::uint16_t>(high), status,
      observation_, static_cast<std::uint32_t>(start)};
  if (known != nullptr)
    *known = span;
  else
    add_span(span);
  status_ = status;
  return status == ReadStatus::ok ? arena_.data() + start + (at.value % kPage - low) : nullptr;
}

void GatherReader::expect(base::GuestPhysical at, std::uint64_t size) {
  while (size > 0) {
    const std::uint64_t part = std::min(size, kPage - at.value % kPage);
    find(at, part);
    at = at + part;
    size -= part;
  }
}

void GatherReader::forget(Range piece) {
  const std::uint64_t last = (piece.start.value + piece.size - 1) / kPage;
  for (std::uint64_t page = piece.start.value / kPage; piece.size > 0 && page <= last; ++page)
    if (Span* span = lookup(page); span != nullptr) span->high = span->low;
  planned_ = false;
}

bool GatherReader::load_bytes(base::GuestPhysical at, std::span<std::byte> to) {
  while (!to.empty()) {
    const std::size_t part = std::min<std::size_t>(to.size(), kPage - at.value % kPage);
    const std::byte* from = find(at, part);
    if (from == nullptr) return false;
    std::memcpy(to.data(), from, part);
    at = at + part;
    to = to.subspan(part);
  }
  return true;
}

void GatherReader::prefetch(std::span<const Range> pieces) {
  std::uint64_t total = 0;
  for (const Range& piece : pieces) {
    const bool in_ram = std::ranges::any_of(memory_.ram(), [&piece](const Range& range) {
      return range.contains(piece.start, piece.size);
    });
    if (!in_ram || piece.size > kPrefetchLimit - total) continue;
    total += piece.size;
    for (std::uint64_t done = 0; done < piece.size;) {
      const std::uint64_t at = piece.start.value + done;
      const std::uint64_t low = at % kPage;
      const std::uint64_t part = std::min(piece.size - done, kPage - low);
      done += part;
      // Twice the same page in damaged hints: the first counts.
      if (lookup(at / kPage) != nullptr) continue;
      add_span({at / kPage, static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(low + part),
                ReadStatus::ok, observation_, 0});
    }
  }
  planned_ = false;
}

void GatherReader::add_span(const Span& span) {
  spans_.push_back(span);
  if (spans_.size() * 2 > table_.size()) {
    table_.assign(table_.size() * 2, kNone);
    for (std::uint32_t index = 0; index + 1 < spans_.size(); ++index) insert(index);
  }
  insert(static_cast<std::uint32_t>(spans_.size() - 1));
}

std::vector<Range> GatherReader::used() const {
  std::vector<Range> ranges;
  for (const Span& span : spans_)
    if (span.used_in == observation_ && span.status == ReadStatus::ok)
      ranges.push_back({base::GuestPhysical(span.page * kPage + span.low),
                        static_cast<std::uint64_t>(span.high - span.low)});
  std::ranges::sort(ranges, {}, &Range::start);
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    if (!joined.empty() && joined.back().end() == range.start)
      joined.back().size += range.size;
    else
      joined.push_back(range);
  }
  return joined;
}

std::vector<Range> GatherReader::gathered() const {
  std::vector<Range> ranges;
  ranges.reserve(requests_.size());
  for (const ReadRequest& request : requests_)
    ranges.push_back({request.address, request.into.size()});
  return ranges;
}

}  // namespace vitrine::memory
