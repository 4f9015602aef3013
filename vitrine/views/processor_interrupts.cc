#include "vitrine/views/processor_interrupts.h"

#include <algorithm>
#include <array>

#include "vitrine/paging/walked_memory.h"
#include "vitrine/views/resolver.h"
#include "vitrine/views/text.h"

namespace vitrine::views {
namespace {

using base::GuestVirtual;
using Interrupts = base::Result<std::vector<ProcessorInterrupt>>;

// Where a kernel that names its counters one by one keeps one.
enum class CounterHome : std::uint8_t { member, per_cpu, global };

struct DeclaredCounter {
  std::string_view name;
  std::string_view counter;  // member of irq_cpustat_t, or symbol
  std::string_view text;
  CounterHome home = CounterHome::member;
};

// As arch_show_interrupts() in arch/x86/kernel/irq.c. What this kernel has not is left out.
constexpr std::array kDeclared{
    DeclaredCounter{"NMI", "__nmi_count", "Non-maskable interrupts"},
    DeclaredCounter{"LOC", "apic_timer_irqs", "Local timer interrupts"},
    DeclaredCounter{"SPU", "irq_spurious_count", "Spurious interrupts"},
    DeclaredCounter{"PMI", "apic_perf_irqs", "Performance monitoring interrupts"},
    DeclaredCounter{"IWI", "apic_irq_work_irqs", "IRQ work interrupts"},
    DeclaredCounter{"RTR", "icr_read_retry_count", "APIC ICR read retries"},
    DeclaredCounter{"PLT", "x86_platform_ipis", "Platform interrupts"},
    DeclaredCounter{"RES", "irq_resched_count", "Rescheduling interrupts"},
    DeclaredCounter{"CAL", "irq_call_count", "Function call interrupts"},
    DeclaredCounter{"TLB", "irq_tlb_count", "TLB shootdowns"},
    DeclaredCounter{"TRM", "irq_thermal_count", "Thermal event interrupts"},
    DeclaredCounter{"THR", "irq_threshold_count", "Threshold APIC interrupts"},
    DeclaredCounter{"DFR", "irq_deferred_error_count", "Deferred Error APIC interrupts"},
    DeclaredCounter{"MCE", "mce_exception_count", "Machine check exceptions", CounterHome::per_cpu},
    DeclaredCounter{"MCP", "mce_poll_count", "Machine check polls", CounterHome::per_cpu},
    DeclaredCounter{"HYP", "irq_hv_callback_count", "Hypervisor callback interrupts"},
    DeclaredCounter{"HRE", "irq_hv_reenlightenment_count", "Hyper-V reenlightenment interrupts"},
    DeclaredCounter{"HVS", "hyperv_stimer0_count", "Hyper-V stimer0 interrupts"},
    DeclaredCounter{"ERR", "irq_err_count", "", CounterHome::global},
    DeclaredCounter{"MIS", "irq_mis_count", "", CounterHome::global},
    DeclaredCounter{"PIN", "kvm_posted_intr_ipis", "Posted-interrupt notification event"},
    DeclaredCounter{"NPI", "kvm_posted_intr_nested_ipis", "Nested posted-interrupt event"},
    DeclaredCounter{"PIW", "kvm_posted_intr_wakeup_ipis", "Posted-interrupt wakeup event"},
    DeclaredCounter{"VPMI", "perf_guest_mediated_pmis", "Perf Guest Mediated PMI"},
    DeclaredCounter{"PMN", "posted_msi_notification_count", "Posted MSI notification event"},
};

Interrupts find_declared(const kernel::Kernel& kernel, GuestVirtual statistics) {
  std::vector<std::string_view> names;
  names.reserve(kDeclared.size());
  for (const DeclaredCounter& declared : kDeclared) names.push_back(declared.counter);
  const auto symbols = kernel.symbols.find(names);
  std::vector<ProcessorInterrupt> found;
  for (std::size_t i = 0; i < kDeclared.size(); ++i) {
    const DeclaredCounter& declared = kDeclared.at(i);
    std::optional<GuestVirtual> counter = symbols[i];
    if (declared.home == CounterHome::member) {
      const auto member = kernel.types.member("irq_cpustat_t", declared.counter);
      counter = member ? std::optional(statistics + member->offset) : std::nullopt;
    }
    if (counter)
      found.push_back({std::string(declared.name), std::string(declared.text), *counter,
                       declared.home != CounterHome::global});
  }
  return found;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

// Since 7.2 (2b57c69917ee) they are an array, and a table says what each is.
Interrupts find_array(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                      GuestVirtual statistics, GuestVirtual table) {
  constexpr std::uint32_t kMostCounters = 256;
  constexpr std::size_t kLongestLabel = 128;
  Resolver at(kernel.types);
  const kernel::Member counts = at.member("irq_cpustat_t", "counts");
  const std::uint32_t size = at.size("irq_stat_info");
  const std::uint32_t name = at("irq_stat_info", "symbol");
  const std::uint32_t text = at("irq_stat_info", "text");
  if (at.error()) return base::fail(*at.error());
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  const auto read = [&](GuestVirtual pointer) -> base::Result<std::string> {
    GuestVirtual where;
    if (auto done = walked.read(pointer, std::as_writable_bytes(std::span(&where.value, 1))); !done)
      return base::fail(done.error());
    auto found = read_text(walked, where, kLongestLabel);
    return found ? base::Result<std::string>(trimmed(*found)) : found;
  };
  std::vector<ProcessorInterrupt> found;
  for (std::uint64_t i = 0; i < std::min(counts.element_count, kMostCounters); ++i) {
    auto named = read(table + i * size + name);
    auto told = read(table + i * size + text);
    if (!named) return base::fail(named.error());
    if (!told) return base::fail(told.error());
    found.push_back({std::move(*named), std::move(*told), statistics + counts.offset + i * 4});
  }
  return found;
}

}  // namespace

Interrupts find_processor_interrupts(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  constexpr std::array<std::string_view, 2> kSymbols{"irq_stat", "irq_stat_info"};
  const auto symbols = kernel.symbols.find(kSymbols);
  if (kernel.architecture != kernel::Architecture::x86_64 || !symbols[0])
    return std::vector<ProcessorInterrupt>();
  if (symbols[1] && kernel.types.has_member("irq_cpustat_t", "counts"))
    return find_array(kernel, memory, *symbols[0], *symbols[1]);
  return find_declared(kernel, *symbols[0]);
}

}  // namespace vitrine::views
