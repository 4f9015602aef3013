// LockWaiters of a synthetic guest, and tasks that wait for them: with what the kernel keeps on
// their stacks meanwhile.
//
// Thread contract: one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "tests/synthetic/processes.h"
#include "tests/synthetic/stacks.h"

namespace vitrine::synthetic {

class LockWaiters {
 public:
  // Sets the rules by which the stacks are unwound.
  LockWaiters(Kernel& kernel, Processes& processes);

  GuestVirtual mutex(int owner);
  // Of a writer.
  GuestVirtual rwsem(int owner);

  // Has a process sleep uninterruptibly, called from start_kernel(), for a lock. Where its
  // structure on the stack is.
  GuestVirtual wait_for_mutex(int pid, GuestVirtual mutex);
  GuestVirtual wait_to_write(int pid, GuestVirtual rwsem);
  // Has it wait for a child; struct pid of that, or 0 for any.
  void wait_for_child(int pid, GuestVirtual child);

 private:
  // The stack of a task in `function`, with so many bytes of its own at the start of which is the
  // structure.
  GuestVirtual sleep(int pid, const std::string& function, std::uint64_t size);
  GuestVirtual wait(int pid, const std::string& function, const std::string& waiter,
                    const std::string& type, GuestVirtual lock);
  void append(const std::string& type, const std::string& waiter, GuestVirtual lock,
              GuestVirtual node);

  Kernel& kernel_;
  Processes& processes_;
  Stacks stacks_;
};

}  // namespace vitrine::synthetic
