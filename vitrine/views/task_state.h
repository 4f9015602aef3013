// The letter that ps shows for a task's state.
// Source: task_state_index() and task_index_to_char() in include/linux/sched.h.
//
// Thread contract: pure.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

namespace vitrine::views {

constexpr char task_state_letter(std::uint32_t state, std::uint32_t exit_state) {
  constexpr std::uint32_t kUninterruptible = 0x0002;
  constexpr std::uint32_t kReported = 0x007f;    // TASK_REPORT
  constexpr std::uint32_t kNoLoad = 0x0400;      // TASK_NOLOAD
  constexpr std::uint32_t kRtLockWait = 0x1000;  // TASK_RTLOCK_WAIT
  constexpr std::uint32_t kFrozen = 0x8000;      // TASK_FROZEN
  constexpr std::uint32_t kIdle = kUninterruptible | kNoLoad;
  constexpr std::string_view kLetters = "RSDTtXZP";  // by the highest bit that is set
  if ((state & kIdle) == kIdle) return 'I';
  std::uint32_t reported = (state | exit_state) & kReported;
  if ((state & (kRtLockWait | kFrozen)) != 0) reported = kUninterruptible;
  return kLetters[static_cast<std::size_t>(std::bit_width(reported))];
}

}  // namespace vitrine::views
