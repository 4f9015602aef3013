#include "vitrine/views/unwinder.h"

#include <algorithm>
#include <cstring>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;

// How registers are numbered shows in this many entries; in fewer, it is taken to be as ever.
constexpr std::size_t kSample = 32'768;
constexpr std::size_t kSmallestSample = 1'000;

// How often each number is used.
using Counts = std::array<std::size_t, 16>;

std::uint32_t most_frequent(const Counts& counts) {
  return static_cast<std::uint32_t>(std::ranges::max_element(counts) - counts.begin());
}

}  // namespace

// What does not lie in one byte is none that we know: no bit of it is looked at.
Unwinder::Bits Unwinder::bits(const kernel::Member& member) {
  const std::uint32_t size = member.bit_size == 0 ? 8 : member.bit_size;
  const std::uint32_t shift = member.bit_offset % 8;
  if (shift + size > 8) return {};
  return {static_cast<std::uint32_t>(member.offset) + member.bit_offset / 8, shift,
          (1U << size) - 1};
}

void Unwinder::resolve_rules(Resolver& at, const kernel::TypeLookup& types, Fields& fields) {
  fields.entry_size = at.size("orc_entry");
  fields.sp_offset = at("orc_entry", "sp_offset");
  fields.bp_offset = at("orc_entry", "bp_offset");
  fields.sp_register = bits(at.member("orc_entry", "sp_reg"));
  fields.bp_register = bits(at.member("orc_entry", "bp_reg"));
  fields.kind = bits(at.member("orc_entry", "type"));
  fields.end_is_a_bit = types.has_member("orc_entry", "end");
  if (fields.end_is_a_bit) fields.end = bits(at.member("orc_entry", "end"));
}

base::Result<Unwinder> Unwinder::attach(const kernel::Kernel& kernel,
                                        memory::PhysicalMemory& memory) {
  enum Name : std::size_t {
    kAddresses,
    kAddressesEnd,
    kEntries,
    kCode,
    kCodeEnd,
    kReturnFromFork,
    kReturnFromForkEntry,  // since 6.6
    kNames
  };
  constexpr std::array<std::string_view, kNames> kSymbols{
      "__start_orc_unwind_ip", "__stop_orc_unwind_ip", "__start_orc_unwind", "_stext", "_etext",
      "ret_from_fork",         "ret_from_fork_asm"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (!symbols[kAddresses] || !symbols[kAddressesEnd] || !symbols[kEntries] || !symbols[kCode] ||
      !symbols[kCodeEnd])
    return fail(Code::unsupported, "this kernel has no tables to unwind its stacks by (ORC)",
                "look at where tasks wait instead: ps --columns pid,comm,state");
  Fields fields;
  Resolver at(kernel.types);
  fields.addresses = *symbols[kAddresses];
  fields.entries = *symbols[kEntries];
  fields.count = (*symbols[kAddressesEnd] - *symbols[kAddresses]) / 4;
  fields.code = *symbols[kCode];
  fields.code_end = *symbols[kCodeEnd];
  fields.first_of_task = {symbols[kReturnFromFork].value_or(base::GuestVirtual()),
                          symbols[kReturnFromForkEntry].value_or(base::GuestVirtual())};
  fields.stack = at("task_struct", "stack");
  fields.stack_pointer = at("task_struct", "thread.sp");
  fields.frame_bp = at("inactive_task_frame", "bp");
  fields.frame_return = at("inactive_task_frame", "ret_addr");
  fields.frame_size = at.size("inactive_task_frame");
  fields.regs_ip = at("pt_regs", "ip");
  fields.regs_cs = at("pt_regs", "cs");
  fields.regs_sp = at("pt_regs", "sp");
  fields.regs_bp = at("pt_regs", "bp");
  resolve_rules(at, kernel.types, fields);
  if (at.error()) return fail(*at.error());
  if (fields.entry_size > kMostEntry)
    return fail(Code::unsupported, "this kernel's tables to unwind stacks by are of another kind");
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  auto registers = number_registers(fields, walked);
  if (!registers) return fail(registers.error());
  fields.registers = *registers;
  return Unwinder(fields);
}

// A function begins with nothing on the stack but where it returns to: the stack pointer and 8. One
// that keeps a frame pointer saves the former one right below: what was the stack pointer and -16;
// and takes the new one and 16 for what was the stack pointer, as it took the stack pointer and 16
// one instruction before.
base::Result<Unwinder::Registers> Unwinder::number_registers(const Fields& fields,
                                                             memory::VirtualMemory& memory) {
  Registers registers;
  const std::size_t sampled = std::min<std::uint64_t>(fields.count, kSample);
  if (sampled < kSmallestSample) return registers;
  std::vector<std::byte> entries(sampled * fields.entry_size);
  if (auto read = memory.read(fields.entries, entries); !read) return fail(read.error());
  Counts at_entry{};
  Counts saved{};
  Counts framed{};
  for (std::size_t i = 0; i < sampled; ++i) {
    const Rule rule =
        rule_of(fields, std::span(entries).subspan(i * fields.entry_size, fields.entry_size));
    if (rule.kind != Kind::call || rule.sp_register > 15 || rule.bp_register > 15) continue;
    if (rule.sp_offset == 8) ++at_entry.at(rule.sp_register);
    if (rule.bp_register != Registers::undefined && rule.bp_offset == -16)
      ++saved.at(rule.bp_register);
    if (rule.bp_offset == -16 && rule.sp_offset == 16) ++framed.at(rule.sp_register);
  }
  Registers found;
  found.sp = most_frequent(at_entry);
  found.previous_sp = most_frequent(saved);
  framed.at(found.sp) = 0;
  found.bp = most_frequent(framed);
  if (at_entry.at(found.sp) == 0 || saved.at(found.previous_sp) == 0 || framed.at(found.bp) == 0)
    return fail(Code::unsupported, "this kernel's tables to unwind stacks by are of another kind");
  if (found.sp == registers.sp && found.bp == registers.bp) return registers;
  found.bp_indirect.reset();
  found.sp_indirect.reset();
  return found;
}

// Until 6.4: UNWIND_HINT_TYPE_CALL 0, REGS 1, REGS_PARTIAL 2, and the end told by an entry without
// a stack pointer; then ORC_TYPE_UNDEFINED 0, END_OF_STACK 1, CALL 2, REGS 3, REGS_PARTIAL 4
// (fb799447ae29).
Unwinder::Rule Unwinder::rule_of(const Fields& fields, std::span<const std::byte> entry) {
  constexpr std::array kRuleKinds{Kind::undefined, Kind::end, Kind::call, Kind::registers,
                                  Kind::interrupt};
  const auto part = [entry](const Bits& bits) {
    return bits.byte < entry.size()
               ? std::to_integer<std::uint32_t>(entry[bits.byte]) >> bits.shift & bits.mask
               : 0;
  };
  const auto offset = [entry](std::uint32_t at) {
    std::int16_t value = 0;
    if (at + sizeof value <= entry.size()) std::memcpy(&value, entry.data() + at, sizeof value);
    return value;
  };
  Rule rule;
  rule.sp_offset = offset(fields.sp_offset);
  rule.bp_offset = offset(fields.bp_offset);
  rule.sp_register = part(fields.sp_register);
  rule.bp_register = part(fields.bp_register);
  const std::uint32_t type = part(fields.kind) + (fields.end_is_a_bit ? 2U : 0U);
  rule.kind = type < kRuleKinds.size() ? kRuleKinds.at(type) : Kind::undefined;
  if (fields.end_is_a_bit && rule.sp_register == Registers::undefined)
    rule.kind = part(fields.end) != 0 ? Kind::end : Kind::undefined;
  return rule;
}

Unwinder::End Unwinder::unwind_running(Reader& reader, const ModuleList& modules,
                                       base::GuestVirtual task,
                                       const memory::X86GeneralRegisters& registers,
                                       std::vector<Frame>& frames) const {
  base::GuestVirtual stack;
  if (!reader.load(task + fields_.stack, stack.value)) return End::unreadable;
  const State state{.ip = base::GuestVirtual(registers.rip),
                    .sp = base::GuestVirtual(registers.rsp),
                    .bp = base::GuestVirtual(registers.rbp),
                    .exact = true};
  return follow(reader, modules, stack, state, frames, [](const Frame&) { return true; });
}

// The last entry at or below the address: in the tables, each address is relative to its own place.
bool Unwinder::search(Reader& reader, base::GuestVirtual addresses, std::uint64_t count,
                      base::GuestVirtual address, std::uint64_t& index) const {
  std::uint64_t low = 0;
  std::uint64_t high = count;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    const base::GuestVirtual at = addresses + middle * 4;
    std::int32_t offset = 0;
    if (!reader.load(at, offset)) return false;
    if (at + static_cast<std::uint64_t>(std::int64_t{offset}) <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) return false;
  index = low - 1;
  return true;
}

bool Unwinder::find_rule(Reader& reader, const ModuleList& modules, base::GuestVirtual address,
                         Rule& rule) const {
  base::GuestVirtual addresses = fields_.addresses;
  base::GuestVirtual entries = fields_.entries;
  std::uint64_t count = fields_.count;
  if (const Module* module = modules.containing(address)) {
    addresses = module->unwind_addresses;
    entries = module->unwind_entries;
    count = module->unwind_count;
  } else if (address < fields_.code || address >= fields_.code_end) {
    return false;  // made at run time (BPF, tracing), or no code
  }
  std::uint64_t index = 0;
  return search(reader, addresses, count, address, index) &&
         load_rule(reader, entries + index * fields_.entry_size, rule);
}

bool Unwinder::load_rule(Reader& reader, base::GuestVirtual at, Rule& rule) const {
  std::array<std::byte, kMostEntry> entry{};
  const auto bytes = std::span(entry).first(fields_.entry_size);
  if (!reader.load_bytes(at, bytes)) return false;
  rule = rule_of(fields_, bytes);
  return true;
}

// As unwind_next_frame().
Unwinder::End Unwinder::step(Reader& reader, const Rule& rule, State& state,
                             bool& in_user_mode) const {
  const auto moved = [](base::GuestVirtual from, std::int16_t by) {
    return from + static_cast<std::uint64_t>(std::int64_t{by});
  };
  const Registers& known = fields_.registers;
  base::GuestVirtual sp;
  if (rule.sp_register == known.sp) {
    sp = moved(state.sp, rule.sp_offset);
  } else if (rule.sp_register == known.bp) {
    sp = moved(state.bp, rule.sp_offset);
  } else if (rule.sp_register == known.sp_indirect) {
    if (!reader.load(state.sp, sp.value)) return End::unreadable;
    sp = moved(sp, rule.sp_offset);
  } else if (rule.sp_register == known.bp_indirect) {
    if (!reader.load(moved(state.bp, rule.sp_offset), sp.value)) return End::unreadable;
  } else {
    return End::astray;  // it needs registers that a sleeping task has not
  }
  base::GuestVirtual bp = state.bp;
  if (rule.kind == Kind::call) {
    if (!reader.load(sp - 8, state.ip.value)) return End::unreadable;
    state.sp = sp;
    state.exact = false;
  } else {
    // Of an interrupt only the last five registers are there: `sp` is where the first of them is.
    const base::GuestVirtual regs = rule.kind == Kind::interrupt ? sp - fields_.regs_ip : sp;
    std::uint16_t cs = 0;
    if (!reader.load(regs + fields_.regs_ip, state.ip.value) ||
        !reader.load(regs + fields_.regs_cs, cs) ||
        !reader.load(regs + fields_.regs_sp, state.sp.value))
      return End::unreadable;
    if (rule.kind == Kind::registers && !reader.load(regs + fields_.regs_bp, bp.value))
      return End::unreadable;
    in_user_mode = (cs & 3) != 0;
    state.exact = true;
  }
  if (rule.bp_register == known.previous_sp && !reader.load(moved(sp, rule.bp_offset), bp.value))
    return End::unreadable;
  if (rule.bp_register == known.bp && !reader.load(moved(state.bp, rule.bp_offset), bp.value))
    return End::unreadable;
  state.bp = bp;
  return End::whole;
}

}  // namespace vitrine::views
