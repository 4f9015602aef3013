// The strings that a process was started with, from its own memory: its arguments and its
// environment.
//
// Thread contract: immutable. Cost: 5 loads, and a page walk for each page of the strings.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "vitrine/paging/walk.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

// Bytes of a process's memory, some of which may be missing.
struct UserText {
  // What could not be read: zeros stand there.
  struct Gap {
    std::size_t offset = 0, size = 0;
    paging::Fault fault = paging::Fault::none;
  };

  std::string bytes;
  std::vector<Gap> gaps;  // ascending, disjoint
};

class UserStrings {
 public:
  enum class End : std::uint8_t {
    read,         // as far as the gaps tell
    unreadable,   // see the reader's fault
    implausible,  // the bounds are none that a process can have
  };

  // Resolves what is needed; `at` tells what is missing.
  static UserStrings attach(Resolver& at);

  // The arguments of the process with the struct mm_struct at `mm`, each with a zero byte behind
  // it, as get_mm_cmdline() in fs/proc/base.c: where a program has overwritten the end of that
  // (setproctitle), the one string that runs on into the environment.
  End arguments(Reader& reader, base::GuestVirtual mm, UserText& text) const;

  // The same of the environment: NAME=VALUE each, as it was when the program was started, unless
  // the program has overwritten it.
  End environment(Reader& reader, base::GuestVirtual mm, UserText& text) const;

  // The root of a process's page tables. False where it can't be read.
  bool root(Reader& reader, base::GuestVirtual mm, base::GuestPhysical& root) const {
    base::GuestVirtual tables;
    return reader.load(mm + tables_, tables.value) && reader.translate(tables, root);
  }

 private:
  static constexpr std::uint64_t kPage = 4096;
  // What execve(2) allows, whatever the limits (_STK_LIM / 4 * 3, fs/exec.c).
  static constexpr std::uint64_t kMostBytes = 6U << 20;
  static constexpr std::uint64_t kUserEnd = std::uint64_t{1} << 56;  // TASK_SIZE_MAX, five levels

  End area(Reader& reader, base::GuestVirtual mm, std::uint32_t start, std::uint32_t end,
           UserText& text) const;
  static void read(Reader& reader, base::GuestPhysical root, base::GuestVirtual start,
                   base::GuestVirtual end, UserText& text);

  std::uint32_t tables_ = 0, argument_start_ = 0, argument_end_ = 0, environment_start_ = 0,
                environment_end_ = 0;  // of struct mm_struct
};

}  // namespace vitrine::views
