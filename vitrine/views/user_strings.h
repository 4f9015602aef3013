// The strings that a process was started with, from its own memory: its arguments and its
// environment.
//
// Thread contract: immutable. Cost: 5 loads, and a page walk for each page of the strings.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "vitrine/paging/walk.h"
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
  template <class Reader>
  End arguments(Reader& reader, base::GuestVirtual mm, UserText& text) const;

  // The same of the environment: NAME=VALUE each, as it was when the program was started, unless
  // the program has overwritten it.
  template <class Reader>
  End environment(Reader& reader, base::GuestVirtual mm, UserText& text) const;

  // The root of a process's page tables. False where it can't be read.
  template <class Reader>
  bool root(Reader& reader, base::GuestVirtual mm, base::GuestPhysical& root) const {
    base::GuestVirtual tables;
    return reader.load(mm + tables_, tables.value) && reader.translate(tables, root);
  }

 private:
  static constexpr std::uint64_t kPage = 4096;
  // What execve(2) allows, whatever the limits (_STK_LIM / 4 * 3, fs/exec.c).
  static constexpr std::uint64_t kMostBytes = 6U << 20;
  static constexpr std::uint64_t kUserEnd = std::uint64_t{1} << 56;  // TASK_SIZE_MAX, five levels

  template <class Reader>
  End area(Reader& reader, base::GuestVirtual mm, std::uint32_t start, std::uint32_t end,
           UserText& text) const;
  template <class Reader>
  static void read(Reader& reader, base::GuestPhysical root, base::GuestVirtual start,
                   base::GuestVirtual end, UserText& text);

  std::uint32_t tables_ = 0, argument_start_ = 0, argument_end_ = 0, environment_start_ = 0,
                environment_end_ = 0;  // of struct mm_struct
};

// Appends what is at [start, end), page by page.
template <class Reader>
void UserStrings::read(Reader& reader, base::GuestPhysical root, base::GuestVirtual start,
                       base::GuestVirtual end, UserText& text) {
  std::size_t done = text.bytes.size();
  text.bytes.resize(done + (end - start));
  while (start < end) {
    const std::size_t part = std::min(kPage - start.value % kPage, end - start);
    const auto into = std::as_writable_bytes(std::span(text.bytes)).subspan(done, part);
    if (!reader.load_bytes(root, start, into)) {
      std::ranges::fill(into, std::byte{});
      text.gaps.push_back({done, part, reader.fault()});
    }
    start = start + part;
    done += part;
  }
}

template <class Reader>
UserStrings::End UserStrings::area(Reader& reader, base::GuestVirtual mm, std::uint32_t start_at,
                                   std::uint32_t end_at, UserText& text) const {
  text.bytes.clear();
  text.gaps.clear();
  base::GuestPhysical tables;
  base::GuestVirtual start;
  base::GuestVirtual end;
  if (!reader.load(mm + start_at, start.value) || !reader.load(mm + end_at, end.value) ||
      !root(reader, mm, tables))
    return End::unreadable;
  if (start > end || end.value > kUserEnd || end - start > kMostBytes) return End::implausible;
  read(reader, tables, start, end, text);
  return End::read;
}

template <class Reader>
UserStrings::End UserStrings::environment(Reader& reader, base::GuestVirtual mm,
                                          UserText& text) const {
  return area(reader, mm, environment_start_, environment_end_, text);
}

template <class Reader>
UserStrings::End UserStrings::arguments(Reader& reader, base::GuestVirtual mm,
                                        UserText& text) const {
  const End got = area(reader, mm, argument_start_, argument_end_, text);
  // What ends in a page that is missing is not known to run on.
  if (got != End::read || text.bytes.empty() || text.bytes.back() == '\0') return got;
  base::GuestVirtual end;
  base::GuestVirtual environment_end;
  base::GuestPhysical tables;
  if (!reader.load(mm + argument_end_, end.value) ||
      !reader.load(mm + environment_end_, environment_end.value) || !root(reader, mm, tables))
    return End::unreadable;
  if (environment_end <= end) return got;
  const std::size_t own = text.bytes.size();
  const std::size_t gaps = text.gaps.size();
  read(reader, tables, end, std::min(environment_end, end + kPage), text);
  if (text.gaps.size() != gaps) {
    text.gaps.resize(gaps);
    text.bytes.resize(own);
  }
  const std::size_t zero = text.bytes.find('\0');
  const bool in_a_gap = std::ranges::any_of(text.gaps, [zero](const UserText::Gap& gap) {
    return zero >= gap.offset && zero - gap.offset < gap.size;
  });
  if (!in_a_gap) text.bytes.resize(std::min(zero, text.bytes.size()));
  return got;
}

}  // namespace vitrine::views
