#include "vitrine/paging/walk_trace.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "vitrine/memory/gather_reader.h"
#include "vitrine/memory/recording_reader.h"

namespace vitrine::paging {
namespace {

constexpr std::array<std::string_view, 5> kTables{"PGD", "P4D", "PUD", "PMD", "PTE"};

// The root is a PGD, and the others are named from the last on: with four levels there is no P4D.
std::string_view table_name(std::size_t level, std::size_t levels) {
  return level == 0 ? kTables.front() : kTables[kTables.size() - (levels - level)];
}

}  // namespace

WalkTrace trace_walk(const Format& format, base::GuestPhysical root, base::GuestVirtual address,
                     memory::PhysicalMemory& memory) {
  memory::GatherReader gather(memory);
  memory::RecordingReader recorder(gather);
  WalkTrace trace;
  trace.fault = walk(format, root, address, recorder, trace.translation);
  const memory::Recording& recording = recorder.recording();
  for (const memory::Recording::Piece& piece : recording.pieces()) {
    WalkStep step{table_name(trace.steps.size(), format.levels.size()), piece.at};
    std::memcpy(&step.entry, &recording.bytes()[piece.offset], sizeof step.entry);
    trace.steps.push_back(step);
  }
  if (trace.fault == Fault::none && !trace.steps.empty()) trace.steps.back().leaf = true;
  return trace;
}

std::string flags_text(const Format& format, std::uint64_t entry) {
  // Intel SDM vol. 3, 4.5: bits that all entries of x86 have.
  constexpr std::uint64_t kAccessed = 1 << 5;
  constexpr std::uint64_t kDirty = 1 << 6;
  constexpr std::uint64_t kGlobal = 1 << 8;
  const bool present = (entry & format.present) != 0;
  const std::array<std::pair<bool, const char*>, 8> flags{{
      {present, "present"},
      {!present && (entry & format.resident_when_absent) != 0, "protected from access"},
      {(entry & format.writable) != 0, "writable"},
      {(entry & format.user) != 0, "user"},
      {(entry & kAccessed) != 0, "accessed"},
      {(entry & kDirty) != 0, "dirty"},
      {present && (entry & kGlobal) != 0, "global"},
      {(entry & format.no_execute) != 0, "no-execute"},
  }};
  std::string text;
  for (const auto& [is, word] : flags)
    if (is) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

}  // namespace vitrine::paging
