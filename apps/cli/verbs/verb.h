// What every verb shares: options that mean the same everywhere, and how results and errors are
// told. A verb is one file that adds itself to the command line; main.cc lists them.
//
// Thread contract: one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/cli/command_line.h"
#include "apps/cli/error.h"
#include "apps/cli/report.h"
#include "apps/cli/subject.h"
#include "apps/cli/terminal.h"
#include "vitrine/session/session.h"

namespace vitrine::cli {

// Makes the verb and returns what runs it once the command line is parsed.
using Run = std::function<Exit()>;

struct Verb {
  Command command;
  Run run;
};

Verb add_ls(CommandLine& line);
Verb add_info(CommandLine& line);
Verb add_ps(CommandLine& line);
Verb add_dmesg(CommandLine& line);
Verb add_stack(CommandLine& line);
Verb add_why(CommandLine& line);
Verb add_lsof(CommandLine& line);
Verb add_cmdline(CommandLine& line);
Verb add_environ(CommandLine& line);
Verb add_exe(CommandLine& line);
Verb add_memory(CommandLine& line);
Verb add_maps(CommandLine& line);
Verb add_mount(CommandLine& line);
Verb add_ss(CommandLine& line);
Verb add_dir(CommandLine& line);
Verb add_cat(CommandLine& line);
Verb add_all(CommandLine& line);
Verb add_top(CommandLine& line);
Verb add_ip(CommandLine& line);
Verb add_lsmod(CommandLine& line);
Verb add_free(CommandLine& line);
Verb add_vmstat(CommandLine& line);
Verb add_slabinfo(CommandLine& line);
Verb add_interrupts(CommandLine& line);
Verb add_mpstat(CommandLine& line);
Verb add_uptime(CommandLine& line);
Verb add_lscpu(CommandLine& line);
Verb add_rate(CommandLine& line);
Verb add_report(CommandLine& line);
Verb add_advise(CommandLine& line);
Verb add_compare(CommandLine& line);
Verb add_consistency(CommandLine& line);
Verb add_survey(CommandLine& line);
Verb add_snapshot(CommandLine& line);
Verb add_techniques(CommandLine& line);
Verb add_type(CommandLine& line);
Verb add_print(CommandLine& line);
Verb add_symbols(CommandLine& line);
Verb add_read(CommandLine& line);
Verb add_translate(CommandLine& line);
Verb add_registers(CommandLine& line);
Verb add_profile(CommandLine& line);
Verb add_views(CommandLine& line);

// Which VM, by which technique, in which form.
struct Target {
  std::string vm;
  std::string technique = "auto";
  std::string pause = "none";
  bool dry_run = false;
  bool allow_persistent_change = false;
  bool no_cache = false;
  bool json = false;
  bool atomic = false;
  bool quiescent = false;
  std::string fallback = "none";

  void add_to(Command& command);
  // For verbs that observe.
  void add_pause_to(Command& command);
  // For verbs that observe views.
  void add_demand_to(Command& command);
  consistency::Demand demand() const;
  session::Options options() const;
  // Attaches to it. Errors: as find_subject and session::Session::open.
  base::Result<std::unique_ptr<session::Session>> open() const;
};

// Tells what looking into the VM would do to it, and why it would be refused. `more`: what the verb
// would do besides.
Exit show_dry_run(const Target& target, std::vector<std::string> more = {});

// Why what was demanded was not reached, and what may help.
std::string not_reached(const consistency::Verdict& verdict, const consistency::Demand& demand);

// Tells an error on stderr, as JSON if asked for; returns the exit status it means.
Exit report(const base::Error& error, bool json);

// Tells warnings on stderr.
void warn(const std::vector<std::string>& warnings);

// Prints on stdout; a failure to write is an error told on stderr.
Exit print(std::string_view text, Exit otherwise = Exit::complete);

// The worse of two: what failed stays failed, what is partial is not complete.
Exit worse(Exit one, Exit other);

KernelIdentity identity(const kernel::Kernel& kernel);

}  // namespace vitrine::cli
