// Follows a sleeping task's kernel stack from function to function by frame pointers, which every
// arm64 kernel keeps: each frame begins with where the next outer one is and where the function
// returns to (AAPCS64, "The Frame Pointer"; arch/arm64/kernel/stacktrace.c).
//
// Thread contract: one thread at a time. Cost: two loads a frame.
#pragma once

#include "vitrine/kernel/kernel.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/unwinder.h"

namespace vitrine::views {

class FramePointers {
 public:
  // Offsets in bytes within task_struct.
  struct Fields {
    std::uint32_t stack = 0, frame = 0, address = 0;
    base::GuestVirtual first_of_task;
    std::uint64_t authentication = 0;  // bits of an address that hold its signature, if any
  };

  explicit FramePointers(const Fields& fields) : fields_(fields) {}

  // Errors: the member that is missing.
  static base::Result<FramePointers> attach(const kernel::Kernel& kernel);

  // The frames on the stack of a task that does not run, innermost first.
  Unwinder::End unwind(Reader& reader, base::GuestVirtual task,
                       std::vector<Unwinder::Frame>& frames) const;

 private:
  // A signed address without its signature, as the processor's xpaci leaves it.
  base::GuestVirtual stripped(base::GuestVirtual address) const {
    const bool of_kernel = (address.value >> 55 & 1) != 0;
    return of_kernel ? base::GuestVirtual(address.value | fields_.authentication) : address;
  }

  Fields fields_;
};

}  // namespace vitrine::views
