#include "vitrine/session/reading.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vitrine::session {
namespace {

constexpr std::size_t kSentinelWords = 6;

memory::Reader reader_of(memory::PhysicalMemory& memory) {
  auto* windows = dynamic_cast<memory::Windows*>(&memory);
  return windows != nullptr ? memory::Reader(windows->windows()) : memory::Reader(memory);
}

}  // namespace

Reading::Reading(const kernel::Kernel& kernel, memory::PhysicalMemory& memory)
    : memory_(memory),
      physical_(reader_of(memory)),
      reader_(kernel.space, physical_),
      collector_(kernel, physical_, reader_of(memory)) {
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

bool Reading::sentinels_hold() {
  return std::ranges::all_of(sentinels_, [this](const Sentinel& sentinel) {
    std::uint64_t value = 0;
    return physical_.load(sentinel.at, value) && value == sentinel.value;
  });
}

bool Reading::begin() {
  memory_.begin_observation();
  physical_.begin();
  return sentinels_hold();
}

bool Reading::collect(views::View& view, const consistency::Demand& demand, bool still,
                      consistency::Collection& collection) {
  if (demand.any() && !still) {
    collection = collector_.collect(view, demand);
    return sentinels_hold();
  }
  reader_.begin();
  if (!sentinels_hold()) return false;
  collection.outcome = view.collect(reader_);
  collection.cost = reader_.cost();
  if (still) collection.verdict.atomic = consistency::Atomic::proved;
  if (still && demand.quiescent) collector_.look_at_locks(view, collection.verdict);
  return true;
}

}  // namespace vitrine::session
