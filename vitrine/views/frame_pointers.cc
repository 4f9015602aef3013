#include "vitrine/views/frame_pointers.h"

#include "vitrine/views/resolver.h"

namespace vitrine::views {

base::Result<FramePointers> FramePointers::attach(const kernel::Kernel& kernel) {
  Resolver at(kernel.types);
  Fields fields;
  fields.stack = at("task_struct", "stack");
  fields.frame = at("task_struct", "thread.cpu_context.fp");
  fields.address = at("task_struct", "thread.cpu_context.pc");
  if (at.error()) return base::fail(*at.error());
  fields.first_of_task = kernel.symbols.find("ret_from_fork").value_or(base::GuestVirtual());
  fields.authentication =
      static_cast<std::uint64_t>(kernel.vmcoreinfo.number("KERNELPACMASK").value_or(0));
  return FramePointers(fields);
}

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
