// Which pipe a sleeping task waits for, and who has its other end open.
//
// The task's entry, on its stack, is linked into one of the pipe's two wait queues; the pipe is one
// of those that the task has open. Who else has it open is found by going through the open files of
// all processes, once in a collection and only if a task waits for a pipe.
//
// Thread contract: one thread at a time. Cost: four loads for each open file of every process.
#pragma once

#include <bit>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/kernel/type_lookup.h"
#include "vitrine/views/budget.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/resolver.h"

namespace vitrine::views {

class PipeEnds {
 public:
  // Resolves what this kernel has; what it has not is not found.
  static PipeEnds attach(const kernel::TypeLookup& types);

  // To be called when a collection begins.
  void renew() {
    ends_.clear();
    collected_ = false;
    words_.renew();
  }

  // Whether this collection took more steps than all that a guest can have.
  bool spent() const { return words_.spent(); }

  struct Found {
    base::GuestVirtual pipe;
    // The one process that has the other end open, by its number; nothing where none has, or
    // several have.
    std::optional<std::size_t> other;
  };

  // The pipe that the process of that number waits for, by the entries of wait queues on a stack of
  // its own.
  template <class Reader>
  std::optional<Found> find(Reader& reader, std::span<const Process> processes, std::size_t number,
                            bool reads, std::span<const base::GuestVirtual> entries);

 private:
  static constexpr std::uint32_t kMaxDescriptors = 1U << 20;
  static constexpr std::size_t kMaxEnds = 1U << 20;
  static constexpr std::size_t kMaxQueue = 4096;
  static constexpr std::uint64_t kMostWords = 16U << 20;   // of a collection
  static constexpr std::uint32_t kReads = 1, kWrites = 2;  // FMODE_READ, FMODE_WRITE

  struct End {
    base::GuestVirtual pipe;
    std::int32_t process = 0;  // its tgid
    std::size_t number = 0;
    std::uint32_t mode = 0;
  };

  template <class Reader>
  void collect(Reader& reader, std::span<const Process> processes);
  template <class Reader>
  void collect_process(Reader& reader, const Process& process, std::size_t number);
  template <class Reader>
  bool in_queue(Reader& reader, base::GuestVirtual head, base::GuestVirtual entry);

  bool known_ = false;
  std::uint32_t files_ = 0, table_ = 0, max_ = 0, array_ = 0, open_ = 0;
  std::uint32_t mode_ = 0, inode_ = 0, pipe_ = 0, kind_ = 0;
  std::uint32_t readers_ = 0, writers_ = 0;  // heads of the queues, in the pipe
  std::uint32_t entry_ = 0;                  // of wait_queue_entry, its list
  std::vector<End> ends_;
  bool collected_ = false;
  Budget words_{kMostWords};
};

template <class Reader>
std::optional<PipeEnds::Found> PipeEnds::find(Reader& reader, std::span<const Process> processes,
                                              std::size_t number, bool reads,
                                              std::span<const base::GuestVirtual> entries) {
  if (!known_) return std::nullopt;
  if (!collected_) collect(reader, processes);
  collected_ = true;
  const std::int32_t process = processes[number].tgid;
  for (const End& own : ends_) {
    if (!words_.spend(1)) return std::nullopt;
    if (own.process != process || (own.mode & (reads ? kReads : kWrites)) == 0) continue;
    const base::GuestVirtual head = own.pipe + (reads ? readers_ : writers_);
    if (!std::ranges::any_of(entries, [&](base::GuestVirtual entry) {
          return in_queue(reader, head, entry + entry_);
        }))
      continue;
    Found found{.pipe = own.pipe, .other = {}};
    for (const End& end : ends_) {
      if (end.pipe != own.pipe || end.process == process ||
          (end.mode & (reads ? kWrites : kReads)) == 0)
        continue;
      if (found.other && processes[*found.other].tgid != end.process) {
        found.other.reset();
        break;
      }
      found.other = end.number;
    }
    return found;
  }
  return std::nullopt;
}

template <class Reader>
bool PipeEnds::in_queue(Reader& reader, base::GuestVirtual head, base::GuestVirtual entry) {
  base::GuestVirtual at = head;
  for (std::size_t i = 0; i < kMaxQueue && words_.spend(1); ++i) {
    if (!reader.load(at, at.value) || at == head) return false;
    if (at == entry) return true;
  }
  return false;
}

template <class Reader>
void PipeEnds::collect(Reader& reader, std::span<const Process> processes) {
  for (std::size_t number = 0; number < processes.size(); ++number)
    if (processes[number].pid == processes[number].tgid)
      collect_process(reader, processes[number], number);
}

template <class Reader>
void PipeEnds::collect_process(Reader& reader, const Process& process, std::size_t number) {
  constexpr std::uint16_t kFifo = 001;
  base::GuestVirtual files;
  base::GuestVirtual table;
  base::GuestVirtual array;
  base::GuestVirtual open;
  std::uint32_t max = 0;
  if (!reader.load(process.task + files_, files.value) || files.value == 0 ||
      !reader.load(files + table_, table.value) || !reader.load(table + max_, max) ||
      !reader.load(table + array_, array.value) || !reader.load(table + open_, open.value))
    return;
  for (std::uint32_t word = 0; word < std::min(max, kMaxDescriptors) / 64; ++word) {
    std::uint64_t bits = 0;
    if (!words_.spend(1) || !reader.load(open + word * 8ULL, bits)) return;
    for (; bits != 0; bits &= bits - 1) {
      const std::uint64_t descriptor =
          word * 64ULL + static_cast<std::uint32_t>(std::countr_zero(bits));
      base::GuestVirtual file;
      base::GuestVirtual inode;
      std::uint16_t kind = 0;
      End end{.pipe = {}, .process = process.tgid, .number = number};
      if (ends_.size() >= kMaxEnds || !words_.spend(1)) return;
      if (reader.load(array + descriptor * 8, file.value) && file.value != 0 &&
          reader.load(file + inode_, inode.value) && reader.load(inode + kind_, kind) &&
          kind >> 12 == kFifo && reader.load(file + pipe_, end.pipe.value) &&
          reader.load(file + mode_, end.mode))
        ends_.push_back(end);
    }
  }
}

}  // namespace vitrine::views
