#include "vitrine/views/registry.h"

#include <array>

#include "vitrine/views/addresses.h"
#include "vitrine/views/counters.h"
#include "vitrine/views/files.h"
#include "vitrine/views/interrupt_lines.h"
#include "vitrine/views/kernel_log.h"
#include "vitrine/views/links.h"
#include "vitrine/views/maps.h"
#include "vitrine/views/memory_use.h"
#include "vitrine/views/modules.h"
#include "vitrine/views/mounts.h"
#include "vitrine/views/neighbours.h"
#include "vitrine/views/process_strings.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/processor_time.h"
#include "vitrine/views/processors.h"
#include "vitrine/views/programs.h"
#include "vitrine/views/routes.h"
#include "vitrine/views/slab_caches.h"
#include "vitrine/views/sockets.h"
#include "vitrine/views/stacks.h"
#include "vitrine/views/symbol_table.h"
#include "vitrine/views/uptime.h"
#include "vitrine/views/waits.h"

namespace vitrine::views {

std::span<const Declaration> all() {
  static const auto views = std::to_array<Declaration>({
      {"processes", "ps", "the guest's processes", Processes::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
       }},
      {"log", "dmesg", "the kernel's log", KernelLog::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return KernelLog::attach(kernel, memory);
       }},
      {"modules", "lsmod", "the guest kernel's modules", Modules::declared_columns(),
       Modules::attach},
      {"mounts", "mount", "what is mounted where", Mounts::declared_columns(), Mounts::attach},
      {"files", "lsof", "files that processes have open", Files::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Files::attach(kernel, memory, {});
       }},
      {"sockets", "ss", "the guest's sockets", Sockets::declared_columns(), Sockets::attach},
      {"regions", "maps", "regions of processes' memory", Maps::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Maps::attach(kernel, memory, {});
       }},
      {"arguments", "cmdline", "arguments that processes were started with",
       ProcessStrings::declared_columns(ProcessStrings::Kind::arguments),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return ProcessStrings::attach(kernel, memory, ProcessStrings::Kind::arguments, {});
       }},
      {"environment", "environ", "environment that processes were started with",
       ProcessStrings::declared_columns(ProcessStrings::Kind::environment),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return ProcessStrings::attach(kernel, memory, ProcessStrings::Kind::environment, {});
       }},
      {"programs", "exe", "programs that processes run", Programs::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Programs::attach(kernel, memory, {});
       }},
      {"addresses", "ip", "addresses of the guest's interfaces", Addresses::declared_columns(),
       Addresses::attach},
      {"links", "ip link", "the guest's network interfaces", Links::declared_columns(),
       Links::attach},
      {"routes", "ip route", "the guest's routes", Routes::declared_columns(), Routes::attach},
      {"neighbours", "ip neigh", "who is known on the guest's links",
       Neighbours::declared_columns(), Neighbours::attach},
      {"stacks", "stack", "what tasks wait in", Stacks::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Stacks::attach(kernel, memory,
                               {.pid = std::nullopt, .threads = false, .registers = {}});
       }},
      {"waits", "why", "who waits for whom, and who blocks them all", Waits::declared_columns(),
       [](const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
         return Waits::attach(kernel, memory, {});
       }},
      {"memory_use", "free", "what the guest's memory is used for", MemoryUse::declared_columns(),
       MemoryUse::attach},
      {"counters", "vmstat", "what the guest's kernel counts of its memory and tasks",
       Counters::declared_columns(), Counters::attach},
      {"slab_caches", "slabinfo", "what the guest's kernel allocates its objects from",
       SlabCaches::declared_columns(), SlabCaches::attach},
      {"interrupt_lines", "interrupts", "how often the guest was interrupted, and by what",
       InterruptLines::declared_columns(), InterruptLines::attach},
      {"processor_time", "mpstat", "what the guest's CPUs have spent their time on",
       ProcessorTime::declared_columns(), ProcessorTime::attach},
      {"load", "uptime", "how long the guest has been up, and how busy it is",
       Uptime::declared_columns(), Uptime::attach},
      {"processors", "lscpu", "the guest's CPUs", Processors::declared_columns(),
       Processors::attach},
      {"kernel_symbols", "symbols", "symbols of the kernel and its modules",
       SymbolTable::declared_columns(),
       [](const kernel::Kernel& kernel,
          memory::PhysicalMemory&) { return SymbolTable::attach(kernel, {}); },
       false},
  });
  return views;
}

base::Result<const Declaration*> find(std::string_view name) {
  std::string known;
  for (const Declaration& view : all()) {
    if (view.name == name || view.verb == name) return &view;
    known += (known.empty() ? "" : ", ") + std::string(view.verb);
  }
  return base::fail(base::Code::invalid, "there is no view \"" + std::string(name) + "\"",
                    "choose one of: " + known);
}

}  // namespace vitrine::views
