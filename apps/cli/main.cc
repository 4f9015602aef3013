// vitrine: the command line. Parses, runs one verb, and turns what it says into the exit status.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <vector>

#include "apps/cli/verbs/verb.h"

namespace {

using vitrine::cli::Exit;

int run(int argc, char** argv) {
  using vitrine::cli::CommandLine;
  CommandLine line(
      {argv + std::min(argc, 1), argv + argc}, "vitrine",
      "See inside a running virtual machine without touching it: nothing is installed in the "
      "guest, "
      "nothing configured, nothing restarted.",
      "vitrine " VITRINE_VERSION,
      "VM is a process id, a name (-name), a QMP socket's path or a memory image's path.\n"
      "Exit status: 0 complete; 1 could not be done; 2 wrong usage; 3 done in part.\n"
      "Reading another user's VM needs CAP_SYS_PTRACE: run with sudo.");
  const std::vector<vitrine::cli::Verb> verbs{
      vitrine::cli::add_ls(line),        vitrine::cli::add_info(line),
      vitrine::cli::add_ps(line),        vitrine::cli::add_top(line),
      vitrine::cli::add_stack(line),     vitrine::cli::add_why(line),
      vitrine::cli::add_lsof(line),      vitrine::cli::add_ss(line),
      vitrine::cli::add_ip(line),        vitrine::cli::add_maps(line),
      vitrine::cli::add_cmdline(line),   vitrine::cli::add_environ(line),
      vitrine::cli::add_exe(line),       vitrine::cli::add_memory(line),
      vitrine::cli::add_mount(line),     vitrine::cli::add_dir(line),
      vitrine::cli::add_cat(line),       vitrine::cli::add_dmesg(line),
      vitrine::cli::add_lsmod(line),     vitrine::cli::add_free(line),
      vitrine::cli::add_vmstat(line),    vitrine::cli::add_slabinfo(line),
      vitrine::cli::add_mpstat(line),    vitrine::cli::add_interrupts(line),
      vitrine::cli::add_uptime(line),    vitrine::cli::add_lscpu(line),
      vitrine::cli::add_all(line),       vitrine::cli::add_type(line),
      vitrine::cli::add_print(line),     vitrine::cli::add_symbols(line),
      vitrine::cli::add_read(line),      vitrine::cli::add_translate(line),
      vitrine::cli::add_registers(line), vitrine::cli::add_techniques(line),
      vitrine::cli::add_rate(line),      vitrine::cli::add_consistency(line),
      vitrine::cli::add_snapshot(line),  vitrine::cli::add_profile(line),
      vitrine::cli::add_views(line),     vitrine::cli::add_survey(line),
      vitrine::cli::add_advise(line),    vitrine::cli::add_report(line),
      vitrine::cli::add_compare(line),
  };
  switch (line.parse()) {
    case CommandLine::Outcome::parsed:
      break;
    case CommandLine::Outcome::told:
      return 0;
    case CommandLine::Outcome::wrong:
      return static_cast<int>(Exit::wrong_usage);
  }
  for (const vitrine::cli::Verb& verb : verbs)
    if (verb.command.given()) return static_cast<int>(verb.run());
  return static_cast<int>(Exit::wrong_usage);
}

}  // namespace

int main(int argc, char** argv) {
  // A short-lived program that takes in some megabytes of tables: giving memory back to the host in
  // between, only to ask for it again, costs more than anything it computes.
  // NOLINTBEGIN(concurrency-mt-unsafe): no other thread runs yet
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_TOP_PAD, 4 << 20);
  // NOLINTEND(concurrency-mt-unsafe)
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    // Only what nobody can foresee comes here, such as memory running out.
    const std::string text =
        vitrine::cli::error_text({vitrine::base::Code::unreadable, error.what()});
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
    return static_cast<int>(Exit::failed);
  }
}
