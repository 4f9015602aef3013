// What a task waits for, told by the kernel's function in which it does.
//
// The functions that wait carry the same names for many versions; those that were renamed are
// listed under all their names. A name may end in what the compiler added (".constprop.0").
//
// Thread contract: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vitrine::views {

enum class WaitKind : std::uint8_t {
  none,  // it does not wait, or nobody knows
  mutex,
  rwsem_read,
  rwsem_write,
  semaphore,
  rt_mutex,
  percpu_rwsem,
  completion,
  futex,
  futex_pi,
  pipe_read,
  pipe_write,
  child,
  page,
  buffer,
  io,
  journal,
  memory,
  user_fault,
  file_lock,
  fuse,
  rpc,
  epoll,
  poll,
  timer,
  signal,
  socket,
  terminal,
  ipc,
  frozen,
  stopped,
  work,
};

// As views show it, e.g. "rwsem read".
std::string_view name(WaitKind kind);

// A lock of the kernel itself, or what waits like one.
constexpr bool is_lock(WaitKind kind) {
  return kind >= WaitKind::mutex && kind <= WaitKind::completion;
}

// How much a function on a task's stack tells.
enum class Telling : std::uint8_t {
  nothing,    // it wants something: what it waits for is told by those that it calls
  machinery,  // it is part of how tasks wait, whatever for
  vaguely,    // what it waits for, unless another function tells more
  exactly,
};

struct Told {
  WaitKind kind = WaitKind::none;
  Telling telling = Telling::nothing;
};

Told told_by(std::string_view function);

}  // namespace vitrine::views
