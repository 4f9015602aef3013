// Which processes both sides show: what is read from the guest's memory, and what the guest shows
// to its own programs. What only memory shows is hidden in the guest; what only the guest shows is
// missing in the kernel's list of tasks. Either is how a rootkit looks.
//
// Processes come and go while they are listed, so both sides are asked twice, in turns: guest,
// memory, guest, memory. Only what certainly lived while the other side was asked, and was not
// listed by it, is a difference.
//
// Thread contract: pure functions on plain values.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "vitrine/session/guest_processes.h"

namespace vitrine::session {

enum class SeenBy : std::uint8_t {
  both,
  vitrine,    // only memory shows it
  guest,      // only the guest shows it
  undecided,  // it came or went while it was looked for
};

std::string_view name(SeenBy seen_by);

// Processes with the time each started, in any unit: a number that was given again to another
// process has another.
using StartTimes = std::map<std::int64_t, std::uint64_t>;

StartTimes start_times(std::span<const GuestProcess> processes);

// What was listed, in the order in which it was asked for. The two sides may count the start of a
// process differently.
struct Listings {
  StartTimes guest_first;
  StartTimes memory_first;
  StartTimes guest_last;
  StartTimes memory_last;
};

// For a process that `memory_last` has.
SeenBy judge(std::int64_t pid, const Listings& listings);

// The processes that both of the guest's listings have, and none of memory's: by process id.
std::vector<std::int64_t> only_in_guest(const Listings& listings);

}  // namespace vitrine::session
