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
#include "vitrine/views/reader.h"
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

  void collect(Reader& reader, std::span<const Process> processes);
  void collect_process(Reader& reader, const Process& process, std::size_t number);
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

}  // namespace vitrine::views
