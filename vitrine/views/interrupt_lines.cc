#include "vitrine/views/interrupt_lines.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "vitrine/views/cycle_guard.h"
#include "vitrine/views/row_field.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;
using base::GuestVirtual;

constexpr std::size_t kMostActions = 256;  // that share a line
constexpr std::size_t kMostName = 128;     // bytes

}  // namespace

constinit const std::array<Column, InterruptLines::kColumns> InterruptLines::kColumnDeclarations{{
    {"irq", Type::text, "number of the line; or a name, such as LOC, of what has no line"},
    {"total", Type::integer, "how often, on all CPUs that are online", true},
    {"per_cpu", Type::text,
     "how often on each CPU that is online, by their numbers, separated by spaces; null where the "
     "kernel counts for all together",
     true},
    {"chip", Type::text, "interrupt controller that the line belongs to; null where it names none"},
    {"hwirq", Type::integer, "number of the line at its controller; null where it has none"},
    {"trigger", Type::text, "edge or level; null of what has no line"},
    {"actions", Type::text,
     "who handles it, separated by commas; what it is for where it has no line; null if nobody"},
}};

std::span<const Column> InterruptLines::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> InterruptLines::attach(const kernel::Kernel& kernel,
                                                           memory::PhysicalMemory& memory) {
  auto cpus = PerCpu::attach(kernel, memory);
  if (!cpus) return fail(cpus.error());
  Resolver at(kernel.types);
  const auto descriptors = InterruptDescriptors::attach(kernel, at);
  if (!descriptors) return fail(descriptors.error());
  auto own = find_processor_interrupts(kernel, memory);
  if (!own) return fail(own.error());
  std::unique_ptr<InterruptLines> view(
      new InterruptLines(std::move(*cpus), *descriptors, std::move(*own)));
  if (auto resolved = view->resolve(kernel, at); !resolved) return fail(resolved.error());
  return std::unique_ptr<View>(std::move(view));
}

base::Result<void> InterruptLines::resolve(const kernel::Kernel& kernel, Resolver& at) {
  fields_.controller = at("irq_desc", "irq_data.chip");
  fields_.domain = at("irq_desc", "irq_data.domain");
  fields_.hardware_number = at("irq_desc", "irq_data.hwirq");
  fields_.state = at("irq_desc", "irq_common_data.state_use_accessors");
  fields_.action = at("irq_desc", "action");
  fields_.counters = at("irq_desc", "kstat_irqs");
  // A number alone until 6.10 (86d2a2f51fba).
  if (kernel.types.has_member("irqstat", "cnt")) fields_.count = at("irqstat", "cnt");
  fields_.controller_name = at("irq_chip", "name");
  fields_.next_action = at("irqaction", "next");
  fields_.action_name = at("irqaction", "name");
  if (at.error()) return fail(*at.error());
  const auto level = kernel.types.enum_value("", "IRQD_LEVEL");
  if (!level) return fail(level.error());
  level_ = static_cast<std::uint32_t>(*level);
  chained_ = kernel.symbols.find("chained_action").value_or(GuestVirtual());
  return {};
}

Outcome InterruptLines::collect(Reader& reader) {
  rows_.clear();
  nodes_.renew();
  lines_left_.renew();
  counts_left_.renew();
  text_.renew();
  if (!cpus_.read_online(reader, online_))
    return {false, {"which CPUs are online could not be read"}};
  bool all = true;
  const WalkEnd end = descriptors_.walk(reader, nodes_, [&](std::uint64_t number, GuestVirtual at) {
    all = all && lines_left_.spend(1) && counts_left_.spend(online_.size());
    if (all) add_line(reader, number, at);
  });
  Outcome outcome;
  if (end == WalkEnd::unreadable)
    outcome = {false,
               {"some of the interrupt lines could not be read: " +
                std::string(paging::name(reader.fault()))}};
  else if (end == WalkEnd::astray || !all)
    outcome = {false, {"the table of interrupt lines is damaged, or changed while it was read"}};
  for (const ProcessorInterrupt& interrupt : own_) add_own(reader, interrupt);
  return outcome;
}

// As show_interrupts() in kernel/irq/proc.c: what nobody handles is left out unless it was counted.
void InterruptLines::add_line(Reader& reader, std::uint64_t number, GuestVirtual at) {
  Row row;
  row.values.resize(kColumns);
  row.values[kIrq] = std::to_string(number);
  GuestVirtual action;
  const bool known = reader.load(at + fields_.action, action.value);
  const paging::Fault fault = reader.fault();
  const bool handled = !known || (action.value != 0 && action != chained_);
  GuestVirtual counters;
  const bool counted = reader.load(at + fields_.counters, counters.value) &&
                       load_counts(reader, counters, fields_.count, !handled);
  if (!handled && counted && std::ranges::count(counts_, 0U) == std::ssize(counts_)) return;
  put_counts(row, counted, reader.fault());
  put_controller(reader, at, row);
  put_trigger(reader, at, row);
  if (known)
    put_actions(reader, action, row);
  else
    put(kColumnDeclarations, row, kActions, false, fault, {});
  rows_.push_back(std::move(row));
}

void InterruptLines::add_own(Reader& reader, const ProcessorInterrupt& interrupt) {
  Row row;
  row.values.resize(kColumns);
  row.values[kIrq] = interrupt.name;
  if (!interrupt.text.empty()) row.values[kActions] = interrupt.text;
  if (interrupt.per_cpu) {
    const bool counted = load_counts(reader, interrupt.counter, 0, false);
    put_counts(row, counted, reader.fault());
  } else {
    std::uint32_t count = 0;
    const bool counted = reader.load_statistic(interrupt.counter, count);
    put(kColumnDeclarations, row, kTotal, counted, reader.fault(), std::uint64_t{count});
  }
  rows_.push_back(std::move(row));
}

// Of the CPUs that are online. `decides`: what is read besides depends on it.
bool InterruptLines::load_counts(Reader& reader, GuestVirtual counters, std::uint32_t offset,
                                 bool decides) {
  counts_.assign(online_.size(), 0);
  if (counters.value == 0) return true;  // a line that was never used
  for (std::size_t i = 0; i < online_.size(); ++i) {
    const GuestVirtual at = counters + offset + online_[i].offset;
    if (!(decides ? reader.load(at, counts_[i]) : reader.load_statistic(at, counts_[i])))
      return false;
  }
  return true;
}

void InterruptLines::put_counts(Row& row, bool readable, paging::Fault fault) const {
  std::string text;
  for (const std::uint32_t count : counts_)
    text += (text.empty() ? "" : " ") + std::to_string(count);
  put(kColumnDeclarations, row, kTotal, readable, fault,
      std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}));
  put(kColumnDeclarations, row, kPerCpu, readable, fault, std::move(text));
}

void InterruptLines::put_controller(Reader& reader, GuestVirtual at, Row& row) const {
  GuestVirtual controller;
  GuestVirtual name;
  std::string text;
  bool readable = reader.load(at + fields_.controller, controller.value);
  if (readable && controller.value != 0)
    readable = reader.load(controller + fields_.controller_name, name.value) &&
               (name.value == 0 || load_text(reader, name, kMostName, text));
  if (!readable || !text.empty())
    put(kColumnDeclarations, row, kController, readable, reader.fault(), std::move(text));
  GuestVirtual domain;
  std::uint64_t number = 0;
  readable = reader.load(at + fields_.domain, domain.value) &&
             reader.load(at + fields_.hardware_number, number);
  if (!readable || domain.value != 0)
    put(kColumnDeclarations, row, kHardwareNumber, readable, reader.fault(), number);
}

// The other bits say what is going on at this moment.
void InterruptLines::put_trigger(Reader& reader, GuestVirtual at, Row& row) const {
  std::uint32_t state = 0;
  const bool readable = reader.load_ignoring(at + fields_.state, state, ~std::uint64_t{level_});
  put(kColumnDeclarations, row, kTrigger, readable, reader.fault(),
      std::string((state & level_) != 0 ? "level" : "edge"));
}

// Those that share a line are a list.
void InterruptLines::put_actions(Reader& reader, GuestVirtual action, Row& row) {
  std::string names;
  CycleGuard guard;
  for (std::size_t count = 0; action.value != 0; ++count) {
    GuestVirtual name;
    std::string text;
    if (!reader.load(action + fields_.action_name, name.value) ||
        (name.value != 0 && !load_text(reader, name, kMostName, text)))
      return put(kColumnDeclarations, row, kActions, false, reader.fault(), {});
    if (guard.closes(action) || count >= kMostActions || !text_.spend(text.size() + 2)) {
      row.errors.push_back(
          {kColumnDeclarations[kActions].name, Code::inconsistent, "the list does not end"});
      return;
    }
    names += (count == 0 ? "" : ", ") + text;
    if (!reader.load(action + fields_.next_action, action.value))
      return put(kColumnDeclarations, row, kActions, false, reader.fault(), {});
  }
  if (!names.empty()) row.values[kActions] = std::move(names);
}

}  // namespace vitrine::views
