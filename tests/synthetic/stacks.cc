#include "tests/synthetic/stacks.h"

namespace vitrine::synthetic {

std::uint8_t Stacks::type_of(UnwindRule::Kind kind) const {
  const auto number = static_cast<std::uint8_t>(kind);
  if (kernel_.options().unwind_rules == UnwindRules::with_end_type) return number;
  return static_cast<std::uint8_t>(number < 2 ? 0 : number - 2);
}

void Stacks::set_rules(const std::vector<UnwindRule>& rules) {
  const GuestVirtual addresses = kernel_.symbol("__start_orc_unwind_ip");
  const GuestVirtual entries = kernel_.symbol("__start_orc_unwind");
  const bool end_bit = kernel_.options().unwind_rules == UnwindRules::with_end_bit;
  for (std::size_t i = 0; i < Kernel::unwind_entries; ++i) {
    // What is left of the table is behind the code.
    const UnwindRule rule = i < rules.size() ? rules[i]
                                             : UnwindRule{.offset = megabyte + i,
                                                          .kind = UnwindRule::Kind::undefined,
                                                          .sp_register = 0};
    const GuestVirtual at = addresses + 4 * i;
    kernel_.put(at, static_cast<std::uint32_t>(kernel_.symbol("_text") + rule.offset - at));
    const GuestVirtual entry = entries + i * kernel_.types().size("struct orc_entry");
    const bool ends = rule.kind == UnwindRule::Kind::end;
    kernel_.set(entry, "orc_entry", "sp_offset", static_cast<std::uint16_t>(rule.sp_offset));
    kernel_.set(entry, "orc_entry", "bp_offset", static_cast<std::uint16_t>(rule.bp_offset));
    kernel_.set(entry, "orc_entry", "sp_reg", ends ? 0 : rule.sp_register);
    kernel_.set(entry, "orc_entry", "bp_reg", rule.bp_register);
    kernel_.set(entry, "orc_entry", "type", type_of(rule.kind));
    if (end_bit) kernel_.set(entry, "orc_entry", "end", ends ? 1 : 0);
  }
}

GuestVirtual Stacks::add(GuestVirtual task, GuestVirtual return_address,
                         std::uint64_t frame_pointer, const std::vector<std::uint64_t>& words) {
  const GuestVirtual stack = kernel_.allocate(size);
  const std::uint64_t frame_size = kernel_.types().size("struct inactive_task_frame");
  const GuestVirtual first = stack + size - words.size() * 8;
  const GuestVirtual frame = first - frame_size;
  kernel_.set(frame, "inactive_task_frame", "bp", frame_pointer);
  kernel_.set(frame, "inactive_task_frame", "ret_addr", return_address.value);
  for (std::size_t i = 0; i < words.size(); ++i) kernel_.put(first + i * 8, words[i]);
  kernel_.set(task, "task_struct", "stack", stack.value);
  kernel_.set(task, "task_struct", "thread.sp", frame.value);
  return first;
}

}  // namespace vitrine::synthetic
