#include "vitrine/paging/walk_trace.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/memory/gather_reader.h"

namespace vitrine::paging {
namespace {

constexpr std::array<std::string_view, 5> kTables{"PGD", "P4D", "PUD", "PMD", "PTE"};

// The root is a PGD, and the others are named from the last on: with four levels there is no P4D.
std::string_view table_name(std::size_t level, std::size_t levels) {
  return level == 0 ? kTables.front() : kTables[kTables.size() - (levels - level)];
}

// Keeps the entries that a walk reads.
class Tracer {
 public:
  explicit Tracer(memory::PhysicalMemory& memory) : plain_(memory) {}

  void begin() { plain_.begin(); }
  template <memory::Loadable T>
  bool load(base::GuestPhysical at, T& to) {
    if (!plain_.load(at, to)) return false;
    entries_.emplace_back(at, to);
    return true;
  }
  template <memory::Loadable T>
  bool load_ignoring(base::GuestPhysical at, T& to, std::uint64_t /*ignored*/) {
    return load(at, to);
  }
  bool load_bytes(base::GuestPhysical at, std::span<std::byte> to) {
    return plain_.load_bytes(at, to);
  }
  void expect(base::GuestPhysical at, std::uint64_t size) { plain_.expect(at, size); }
  const std::byte* in_place(base::GuestPhysical, std::uint64_t) { return nullptr; }
  void charge(memory::Cost cost) { plain_.charge(cost); }
  memory::ReadStatus status() const { return plain_.status(); }
  memory::Cost cost() const { return plain_.cost(); }

  std::span<const std::pair<base::GuestPhysical, std::uint64_t>> entries() const {
    return entries_;
  }

 private:
  memory::GatherReader plain_;
  std::vector<std::pair<base::GuestPhysical, std::uint64_t>> entries_;
};

}  // namespace

WalkTrace trace_walk(const Format& format, base::GuestPhysical root, base::GuestVirtual address,
                     memory::PhysicalMemory& memory) {
  Tracer tracer(memory);
  WalkTrace trace;
  trace.fault = walk(format, root, address, tracer, trace.translation);
  for (const auto& [at, entry] : tracer.entries()) {
    WalkStep step{table_name(trace.steps.size(), format.levels.size()), at};
    step.entry = entry;
    trace.steps.push_back(step);
  }
  if (trace.fault == Fault::none && !trace.steps.empty()) trace.steps.back().leaf = true;
  return trace;
}

std::string flags_text(const Format& format, std::uint64_t entry) {
  const bool present = (entry & format.present) != 0;
  const std::array<std::pair<bool, const char*>, 9> flags{{
      {present, "present"},
      {!present && (entry & format.resident_when_absent) != 0, "protected from access"},
      {(entry & format.writable) != 0, "writable"},
      {(entry & format.read_only) != 0, "read-only"},
      {(entry & format.user) != 0, "user"},
      {(entry & format.accessed) != 0, "accessed"},
      {(entry & format.dirty) != 0, "dirty"},
      {present && (entry & format.global) != 0, "global"},
      {(entry & format.no_execute) != 0, "no-execute"},
  }};
  std::string text;
  for (const auto& [is, word] : flags)
    if (is) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

}  // namespace vitrine::paging
