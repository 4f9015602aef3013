#include "vitrine/session/reading.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vitrine::session {
namespace {

constexpr std::size_t kSentinelWords = 6;

}  // namespace

Reading::Reading(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) : memory_(memory) {
  if (auto* windows = dynamic_cast<memory::Windows*>(&memory))
    window_.emplace(kernel, memory::WindowReader(windows->windows()));
  else
    gather_.emplace(kernel, memory::GatherReader(memory));
  choose_sentinels(kernel, memory);
}

// The beginning of the VMCOREINFO note (release), spread over its text (KASLR offsets).
void Reading::choose_sentinels(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  const std::uint64_t length = kernel.vmcoreinfo.text().size();
  for (std::size_t i = 0; i < kSentinelWords; ++i) {
    // Within the note's first page: notes are about 3 KB, and their text begins after the header.
    const std::uint64_t offset = 24 + std::min<std::uint64_t>(length, 3000) * i / kSentinelWords;
    Sentinel sentinel{kernel.note + offset / 8 * 8, 0};
    std::array<std::byte, 8> bytes{};
    if (memory.read(sentinel.at, bytes) != memory::ReadStatus::ok) continue;
    std::memcpy(&sentinel.value, bytes.data(), sizeof sentinel.value);
    sentinels_.push_back(sentinel);
  }
}

template <class Plain>
bool Reading::sentinels_hold(Plain& plain) const {
  return std::ranges::all_of(sentinels_, [&plain](const Sentinel& sentinel) {
    std::uint64_t value = 0;
    return plain.load(sentinel.at, value) && value == sentinel.value;
  });
}

bool Reading::begin() {
  if (window_) {
    memory_.begin_observation();
    return sentinels_hold(window_->plain);
  }
  gather_->plain.begin();
  return sentinels_hold(gather_->plain);
}

template <class Plain>
bool Reading::collect_with(Readers<Plain>& readers, views::View& view,
                           const consistency::Demand& demand, bool still,
                           consistency::Collection& collection) {
  if (demand.any() && !still) {
    collection = readers.collector.collect(view, demand);
    return sentinels_hold(readers.plain);
  }
  readers.reader.begin();
  if (!sentinels_hold(readers.plain)) return false;
  collection.outcome = view.collect(&readers.reader);
  collection.cost = readers.reader.cost();
  if (still) collection.verdict.atomic = consistency::Atomic::proved;
  if (still && demand.quiescent) readers.collector.look_at_locks(view, collection.verdict);
  return true;
}

bool Reading::collect(views::View& view, const consistency::Demand& demand, bool still,
                      consistency::Collection& collection) {
  return window_ ? collect_with(*window_, view, demand, still, collection)
                 : collect_with(*gather_, view, demand, still, collection);
}

void Reading::prefetch(std::span<const memory::Range> pieces) {
  if (gather_) gather_->plain.prefetch(pieces);
}

std::vector<memory::Range> Reading::used() const {
  return gather_ ? gather_->plain.used() : std::vector<memory::Range>();
}

std::vector<memory::Range> Reading::gathered() const {
  return gather_ ? gather_->plain.gathered() : std::vector<memory::Range>();
}

}  // namespace vitrine::session
