#include "vitrine/vmm/machine.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "vitrine/host/process_copy.h"
#include "vitrine/vmm/libvirt_domain.h"

namespace vitrine::vmm {
namespace {

// The arguments as they were when it was recognised: a child that a VMM forks may become another
// program, or be gone, the next moment.
struct Recognised {
  Machine machine;
  std::vector<std::string> arguments;
};

// Hosts have thousands of processes, of which nearly all are told by their arguments.
std::optional<Recognised> recognise(pid_t pid, const host::ProcRoot& proc) {
  auto arguments = host::arguments(pid, proc);
  if (!arguments || arguments->empty()) return std::nullopt;
  // The name may be that of a symbolic link to the program, or of a wrapper that became it.
  const std::string executable = host::executable(pid, proc).value_or("");
  if (!is_vmm_program(executable) && !is_vmm_program(arguments->front())) return std::nullopt;
  const auto stat = host::process_stat(pid, proc);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return std::nullopt;
  Machine machine;
  machine.process = stat->identity;
  machine.executable = executable;
  machine.command_line = parse_command_line(*arguments);
  machine.name = machine.command_line.name;
  machine.uuid = machine.command_line.uuid;
  machine.accelerator = machine.command_line.accelerator;
  machine.memory = machine.command_line.memory;
  machine.machine_type = machine.command_line.machine;
  for (const MonitorSocket& monitor : machine.command_line.monitors) {
    machine.qmp = locate(monitor, pid, proc);
    if (machine.qmp) break;
  }
  return Recognised{std::move(machine), std::move(*arguments)};
}

// Whether a process is a copy that another tool like this one keeps (host/process_copy.h).
bool kept_as_copy(std::string_view status, const host::ProcRoot& proc) {
  const auto tracer = host::status_number(status, "TracerPid").value_or(0);
  const auto stat = host::process_stat(static_cast<pid_t>(tracer), proc);
  return stat && stat->comm == host::ProcessCopy::kKeeperName;
}

// Whether it is no VMM but a copy of one, a child of it or kept by a tool; or is gone by now.
bool is_none(const Recognised& one, const std::vector<Recognised>& all,
             const host::ProcRoot& proc) {
  const pid_t pid = one.machine.process.pid;
  const auto read = host::read_file(proc.of(pid, "status"));
  if (!read) return true;
  const std::string& status = *read;
  const auto parent = host::status_number(status, "PPid").value_or(0);
  const bool kept = kept_as_copy(status, proc);
  return std::ranges::any_of(all, [&](const Recognised& other) {
    const bool child = static_cast<std::uint64_t>(other.machine.process.pid) == parent;
    const bool younger = one.machine.process.start_time > other.machine.process.start_time;
    if (!child && !(kept && younger)) return false;
    return other.machine.executable == one.machine.executable && other.arguments == one.arguments;
  });
}

std::optional<pid_t> process_number(std::string_view text) {
  pid_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || value <= 0) return {};
  return value;
}

std::string shown(const std::vector<Machine>& machines) {
  if (machines.empty()) return "no VM that can be looked at runs on this host";
  std::string text = "the VMs on this host are ";
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < machines.size() && i < kShown; ++i) {
    const Machine& machine = machines[i];
    if (i > 0) text += ", ";
    text += machine.name.empty() ? fmt::format("pid:{}", machine.process.pid)
                                 : fmt::format("{} (pid {})", machine.name, machine.process.pid);
  }
  if (machines.size() > kShown) text += ", …";
  return text;
}

base::Result<Machine> only(std::vector<Machine> found, const std::string& what) {
  if (found.size() == 1) return std::move(found.front());
  std::string pids;
  for (const Machine& machine : found) {
    pids += fmt::format("{}{}", pids.empty() ? "" : ", ", machine.process.pid);
  }
  return base::fail(base::Code::ambiguous,
                    fmt::format("{} VMs have the {}: processes {}", found.size(), what, pids),
                    fmt::format("say which one, e.g. pid:{}", found.front().process.pid));
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat left {};
  struct stat right {};
  return ::stat(a.c_str(), &left) == 0 && ::stat(b.c_str(), &right) == 0 &&
         left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

std::vector<Machine> serving(const std::string& path, const std::vector<Machine>& machines,
                             const host::ProcRoot& proc) {
  std::vector<Machine> found;
  for (const Machine& machine : machines) {
    for (const MonitorSocket& monitor : machine.command_line.monitors) {
      auto endpoint = locate(monitor, machine.process.pid, proc);
      if (!endpoint || (endpoint->shown != path && !same_file(endpoint->path, path))) continue;
      found.push_back(machine);
      found.back().qmp = std::move(endpoint);
      break;
    }
  }
  return found;
}

base::Result<Machine> run_by_libvirt(const std::string& name, const std::vector<Machine>& machines,
                                     const host::ProcRoot& proc) {
  const auto domain = LibvirtDomain::named(DomainName::parse(name), proc);
  if (!domain) return base::fail(domain.error());
  std::vector<Machine> found;
  std::copy_if(machines.begin(), machines.end(), std::back_inserter(found),
               [&](const Machine& machine) { return machine.uuid == domain->uuid(); });
  if (!found.empty()) return only(std::move(found), "UUID " + domain->uuid());
  return base::fail(base::Code::denied,
                    "the process of libvirt's domain " + domain->name() + " cannot be looked at",
                    "run it with sudo");
}

}  // namespace

std::vector<Machine> list(const host::ProcRoot& proc) {
  std::vector<Recognised> recognised;
  for (const pid_t pid : host::processes(proc)) {
    if (auto one = recognise(pid, proc)) recognised.push_back(std::move(*one));
  }
  std::vector<Machine> originals;
  for (const Recognised& one : recognised) {
    if (!is_none(one, recognised, proc)) originals.push_back(one.machine);
  }
  return originals;
}

base::Result<Machine> machine_of(pid_t pid, const host::ProcRoot& proc) {
  const auto stat = host::process_stat(pid, proc);
  if (!stat) return base::fail(stat.error());
  if (auto recognised = recognise(pid, proc)) {
    const auto leader = host::process_of_thread(pid, proc);
    if (!leader || *leader == pid) return std::move(recognised->machine);
    return base::fail(base::Code::invalid, fmt::format("{} is a thread of VMM {}", pid, *leader),
                      fmt::format("use pid:{}", *leader));
  }
  return base::fail(base::Code::invalid,
                    fmt::format("process {} ({}) is not a VM of QEMU", pid, stat->comm),
                    "`vitrine ls` lists the VMs on this host");
}

base::Result<Machine> find(const std::string& spec, const host::ProcRoot& proc) {
  const auto colon = spec.find(':');
  const std::string prefix = spec.substr(0, colon == std::string::npos ? 0 : colon);
  const bool decided =
      prefix == "pid" || prefix == "name" || prefix == "qmp" || prefix == "libvirt";
  const std::string rest = decided ? spec.substr(colon + 1) : spec;
  const auto may_be = [&](std::string_view kind) { return !decided || prefix == kind; };

  const std::vector<Machine> machines = list(proc);
  if (prefix == "libvirt") return run_by_libvirt(rest, machines, proc);
  const auto number = may_be("pid") ? process_number(rest) : std::nullopt;
  if (prefix == "pid" && !number) {
    return base::fail(base::Code::invalid, rest + " is no process id");
  }
  std::optional<base::Error> no_process;
  if (number) {
    auto machine = machine_of(*number, proc);
    if (machine || decided) return machine;
    no_process = machine.error();  // a VM may have a number for its name
  }
  if (may_be("name")) {
    std::vector<Machine> named;
    std::copy_if(machines.begin(), machines.end(), std::back_inserter(named),
                 [&](const Machine& machine) { return !rest.empty() && machine.name == rest; });
    if (!named.empty()) return only(std::move(named), "name " + rest);
  }
  if (may_be("qmp")) {
    auto found = serving(rest, machines, proc);
    if (!found.empty()) return only(std::move(found), "QMP socket " + rest);
  }
  if (no_process && no_process->code == base::Code::invalid) return base::fail(*no_process);
  return base::fail(base::Code::absent, fmt::format("there is no VM {}", spec), shown(machines));
}

base::Result<Qmp> open_qmp(const Machine& machine, const QmpLimits& limits,
                           const host::ProcRoot& proc) {
  const auto& monitors = machine.command_line.monitors;
  if (!machine.qmp && !monitors.empty()) {
    return base::fail(base::Code::absent,
                      "the VM's QMP socket (" + monitors.front().found +
                          ") cannot be reached: it was removed, or we have no right to it",
                      "run it with sudo");
  }
  if (!machine.qmp) {
    return base::fail(base::Code::absent, "the VM has no QMP socket",
                      "start it with -qmp unix:PATH,server=on,wait=off");
  }
  QmpLimits shortened = limits;
  // A client that is just leaving is worth a moment, one that stays is not.
  constexpr std::chrono::milliseconds kLeaving{100};
  if (has_client(*machine.qmp, machine.process.pid, proc)) {
    shortened.greeting = std::min(limits.greeting, kLeaving);
  }
  auto qmp = Qmp::open(machine.qmp->path, shortened);
  if (qmp || qmp.error().code != base::Code::timeout) return qmp;
  const auto stat = host::process_stat(machine.process.pid, proc);
  if (stat && (stat->state == 'T' || stat->state == 't')) {
    return base::fail(base::Code::timeout,
                      fmt::format("the VMM, process {}, is stopped by a signal or a debugger",
                                  machine.process.pid),
                      fmt::format("let it go on with kill -CONT {}", machine.process.pid));
  }
  return qmp;
}

}  // namespace vitrine::vmm
