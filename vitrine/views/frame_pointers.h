// Follows a sleeping task's kernel stack from function to function by frame pointers, which every
// arm64 kernel keeps: each frame begins with where the next outer one is and where the function
// returns to (AAPCS64, "The Frame Pointer"; arch/arm64/kernel/stacktrace.c).
//
// Thread contract: one thread at a time. Cost: two loads a frame.
#pragma once

#include "vitrine/kernel/kernel.h"
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
  template <class Reader>
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

template <class Reader>
Unwinder::End FramePointers::unwind(Reader& reader, base::GuestVirtual task,
                                    std::vector<Unwinder::Frame>& frames) const {
  constexpr std::uint64_t kMostStack = 128 << 10;  // THREAD_SIZE, of kernels with KASAN
  base::GuestVirtual stack;
  base::GuestVirtual frame;
  base::GuestVirtual address;
  if (!reader.load(task + fields_.stack, stack.value) ||
      !reader.load(task + fields_.frame, frame.value) ||
      !reader.load(task + fields_.address, address.value))
    return Unwinder::End::unreadable;
  // A task that has not run yet begins there.
  bool exact = address == fields_.first_of_task;
  while (frames.size() < Unwinder::kMaxFrames) {
    frames.push_back({stripped(address), exact});
    exact = false;
    if (frame - stack >= kMostStack) return Unwinder::End::astray;
    base::GuestVirtual outer;
    if (!reader.load(frame, outer.value) || !reader.load(frame + 8, address.value))
      return Unwinder::End::unreadable;
    // The outermost frame is that of the registers of user mode.
    if (outer.value == 0 && address.value == 0) return Unwinder::End::whole;
    // Each frame lies above the one that it called.
    if (outer <= frame) return Unwinder::End::astray;
    frame = outer;
  }
  return Unwinder::End::astray;
}

}  // namespace vitrine::views
