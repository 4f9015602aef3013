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

}  // namespace vitrine::views
