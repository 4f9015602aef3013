// How far what an observation shows can be trusted: docs/consistency.md says what each verdict
// means, why, and where its limits are.
//
// Thread contract: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::consistency {

// Whether all values held at one instant.
enum class Atomic : std::uint8_t {
  proved,     // the memory could not change while it was read
  unchanged,  // two collections in a row read the very same values
  no,         // that was asked for and not reached
  unknown,    // that was not asked for
};

// Whether nobody was in the middle of changing what was read.
enum class Quiescent : std::uint8_t {
  yes,      // no writer was inside any of the critical sections that guard it
  no,       // that was asked for and not reached
  unknown,  // that was not asked for, or what guards it is not understood
};

// As in JSON.
constexpr std::string_view name(Atomic atomic) {
  switch (atomic) {
    case Atomic::proved:
      return "proved";
    case Atomic::unchanged:
      return "unchanged";
    case Atomic::no:
      return "no";
    case Atomic::unknown:
      break;
  }
  return "unknown";
}

constexpr std::string_view name(Quiescent quiescent) {
  switch (quiescent) {
    case Quiescent::yes:
      return "yes";
    case Quiescent::no:
      return "no";
    case Quiescent::unknown:
      break;
  }
  return "unknown";
}

struct Verdict {
  Atomic atomic = Atomic::unknown;
  Quiescent quiescent = Quiescent::unknown;
  std::uint32_t collects = 1;     // collections it took, those that only compare included
  std::vector<std::string> held;  // names of locks that a writer held at the last try
};

// What an observation is asked for, and how long it may try.
struct Demand {
  bool atomic = false;     // all values of one instant
  bool quiescent = false;  // and no writer in the midst of them; asks for `atomic`, too
  std::uint32_t tries = 1000;
  std::chrono::nanoseconds time = std::chrono::seconds(1);

  bool any() const { return atomic || quiescent; }
};

// Whether what was asked for was reached. REQUIRES: the verdict is of an observation that was asked
// for it.
constexpr bool reached(const Verdict& verdict, const Demand& demand) {
  if (demand.quiescent && verdict.quiescent != Quiescent::yes) return false;
  return !demand.any() || verdict.atomic == Atomic::proved || verdict.atomic == Atomic::unchanged;
}

}  // namespace vitrine::consistency
