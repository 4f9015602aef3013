#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/counters.h"
#include "vitrine/views/interrupt_lines.h"
#include "vitrine/views/memory_use.h"
#include "vitrine/views/processor_time.h"
#include "vitrine/views/processors.h"
#include "vitrine/views/slab_caches.h"
#include "vitrine/views/uptime.h"

namespace vitrine::cli {
namespace {

using Attach = base::Result<std::unique_ptr<views::View>> (*)(const kernel::Kernel&,
                                                              memory::PhysicalMemory&);

// A verb that has nothing of its own but its view.
Verb add(CommandLine& line, const char* name, const char* summary, Attach attach,
         const std::string& table_columns = {}) {
  Command command = line.verb(name, summary);
  auto options = std::make_shared<ViewOptions>();
  options->add_to(command);
  return {command, [options, attach, table_columns] {
            ViewCommand view;
            view.attach = [attach](session::Session& session) {
              return attach(session.kernel(), session.memory());
            };
            view.table_columns = table_columns;
            return run_view(*options, view);
          }};
}

}  // namespace

Verb add_free(CommandLine& line) {
  return add(line, "free", "Show what the guest's memory is used for", views::MemoryUse::attach);
}

Verb add_vmstat(CommandLine& line) {
  return add(line, "vmstat", "Show what the guest's kernel counts of its memory and tasks",
             views::Counters::attach);
}

Verb add_slabinfo(CommandLine& line) {
  return add(line, "slabinfo", "Show what the guest's kernel allocates its objects from",
             views::SlabCaches::attach);
}

Verb add_interrupts(CommandLine& line) {
  return add(line, "interrupts", "Show how often the guest was interrupted, and by what",
             views::InterruptLines::attach);
}

Verb add_mpstat(CommandLine& line) {
  return add(line, "mpstat", "Show what the guest's CPUs have spent their time on",
             views::ProcessorTime::attach);
}

Verb add_uptime(CommandLine& line) {
  return add(line, "uptime", "Show how long the guest has been up, and how busy it is",
             views::Uptime::attach);
}

Verb add_lscpu(CommandLine& line) {
  return add(line, "lscpu", "List the guest's CPUs", views::Processors::attach,
             "cpu,online,vendor,model_name,family,model,stepping,khz,cache_bytes,package,core");
}

}  // namespace vitrine::cli
