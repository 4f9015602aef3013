#include "vitrine/session/second_opinion.h"

namespace vitrine::session {
namespace {

// Whether the process lived from one listing to the other.
bool same_process(std::int64_t pid, const StartTimes& one, const StartTimes& other) {
  const auto first = one.find(pid);
  const auto second = other.find(pid);
  return first != one.end() && second != other.end() && first->second == second->second;
}

}  // namespace

std::string_view name(SeenBy seen_by) {
  switch (seen_by) {
    case SeenBy::both:
      return "both";
    case SeenBy::vitrine:
      return "vitrine";
    case SeenBy::guest:
      return "guest";
    case SeenBy::undecided:
      return "undecided";
  }
  return "undecided";
}

StartTimes start_times(std::span<const GuestProcess> processes) {
  StartTimes times;
  for (const GuestProcess& process : processes) times[process.pid] = process.start_ticks;
  return times;
}

SeenBy judge(std::int64_t pid, const Listings& listings) {
  if (listings.guest_first.contains(pid) || listings.guest_last.contains(pid)) return SeenBy::both;
  // It lived while the guest was asked the second time.
  if (same_process(pid, listings.memory_first, listings.memory_last)) return SeenBy::vitrine;
  return SeenBy::undecided;
}

std::vector<std::int64_t> only_in_guest(const Listings& listings) {
  std::vector<std::int64_t> pids;
  for (const auto& [pid, start] : listings.guest_first)
    if (same_process(pid, listings.guest_first, listings.guest_last) &&
        !listings.memory_first.contains(pid) && !listings.memory_last.contains(pid))
      pids.push_back(pid);
  return pids;
}

}  // namespace vitrine::session
