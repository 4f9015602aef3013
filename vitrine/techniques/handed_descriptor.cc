#include "vitrine/techniques/handed_descriptor.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "vitrine/host/proc_root.h"
#include "vitrine/host/rights.h"

namespace vitrine::techniques {
namespace {

namespace fs = std::filesystem;

bool close_named(vmm::Qmp& qmp, std::string_view name) {
  return answered(qmp.execute("closefd", fmt::format(R"({{"fdname":"{}"}})", name)));
}

}  // namespace

bool answered(const base::Result<std::string>& reply) {
  return reply || reply.error().code != base::Code::timeout;
}

base::Result<NamedDescriptor> hand_over_named(vmm::Intervention& intervention, int descriptor) {
  const std::string name = fmt::format("vitrine-{}", getpid());
  auto noted = intervention.note(&close_named, name);
  if (!noted) return base::fail(noted.error());
  auto given = intervention.qmp().execute_with(descriptor, "getfd",
                                               fmt::format(R"({{"fdname":"{}"}})", name));
  if (!given) return base::fail(given.error());
  return NamedDescriptor{"fd:" + name, std::move(*noted)};
}

base::Result<std::string> path_in_vmm(pid_t pid, int descriptor) {
  struct stat ours {};
  if (fstat(descriptor, &ours) != 0)
    return base::fail_errno(errno, "fstat", "cannot look at a descriptor");
  std::error_code error;
  for (fs::directory_iterator entry(host::ProcRoot().of(pid, "fd"), error), end;
       !error && entry != end; entry.increment(error)) {
    struct stat theirs {};
    if (stat(entry->path().c_str(), &theirs) == 0 && theirs.st_dev == ours.st_dev &&
        theirs.st_ino == ours.st_ino)
      return "/proc/self/fd/" + entry->path().filename().string();
  }
  if (error) return base::fail(host::explain_denial(pid));
  return base::fail(base::Code::inconsistent, "the VMM does not have the descriptor it was handed");
}

}  // namespace vitrine::techniques
