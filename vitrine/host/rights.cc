#include "vitrine/host/rights.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "vitrine/host/process.h"

namespace vitrine::host {
namespace {

constexpr unsigned kCapSysPtrace = 19;  // linux/capability.h

int yama_scope(const ProcRoot& proc) {
  const auto text = read_file(proc.of("sys/kernel/yama/ptrace_scope"));
  return text && !text->empty() && (*text)[0] >= '0' && (*text)[0] <= '9' ? (*text)[0] - '0' : 0;
}

// The files of a process that may not be dumped belong to root, whoever runs it (proc(5)).
bool not_dumpable(pid_t pid, std::uint64_t owner, const ProcRoot& proc) {
  struct stat about {};
  return ::stat(proc.of(pid, "").c_str(), &about) == 0 && about.st_uid != owner;
}

}  // namespace

base::Error explain_denial(pid_t pid, const ProcRoot& proc) {
  const std::string grant =
      "run it with sudo, or grant the capability once with "
      "`sudo setcap cap_sys_ptrace=ep $(command -v vitrine)`";
  const auto error = [&](std::string why, std::string remedy) {
    return base::Error{base::Code::denied,
                       fmt::format("this host does not let us read process {}: {}", pid, why),
                       std::move(remedy)};
  };
  const auto ours = read_file(proc.of("self/status")).value_or("");
  const auto theirs = read_file(proc.of(pid, "status")).value_or("");
  const auto capabilities = status_number(ours, "CapEff", 16).value_or(0);
  const auto our_user = status_number(ours, "Uid");
  const auto their_user = status_number(theirs, "Uid");
  const bool capable = (capabilities >> kCapSysPtrace & 1) != 0;
  const int scope = yama_scope(proc);
  if (scope == 3) {
    return error("kernel.yama.ptrace_scope is 3, which forbids it to everyone",
                 "it can only be changed by rebooting this host with another setting");
  }
  if (capable) {
    return error(
        "the capability CAP_SYS_PTRACE is held, but does not reach it: it runs in another user "
        "namespace, or a security module (SELinux, AppArmor) forbids it",
        "run outside of any container, or look for the denial in the host's audit log");
  }
  if (our_user && their_user && *our_user != *their_user) {
    return error(fmt::format("it belongs to user {}, we run as user {}, and the capability "
                             "CAP_SYS_PTRACE is missing",
                             *their_user, *our_user),
                 grant);
  }
  if (their_user && not_dumpable(pid, *their_user, proc)) {
    return error("it may not be dumped, and the capability CAP_SYS_PTRACE is missing", grant);
  }
  if (scope != 0) {
    return error(fmt::format("kernel.yama.ptrace_scope is {}, and the capability CAP_SYS_PTRACE is "
                             "missing",
                             scope),
                 grant);
  }
  return error("the capability CAP_SYS_PTRACE is missing", grant);
}

}  // namespace vitrine::host
