#include "vitrine/vmm/outside_writers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>

#include "vitrine/host/mappings.h"
#include "vitrine/host/process.h"

namespace vitrine::vmm {
namespace {

using Kind = KernelWriter::Kind;

struct Sign {
  std::string_view beginning;  // of what a descriptor leads to, or of a mapping's name
  Kind kind;
};

// As /proc/PID/fd shows descriptors.
constexpr Sign kDescriptors[] = {
    {"/dev/vhost-", Kind::vhost},      {"/dev/vfio/", Kind::vfio},
    {"anon_inode:[vfio-", Kind::vfio}, {"/dev/iommu", Kind::vfio},
    {"/dev/infiniband/", Kind::rdma},  {"/dev/sg", Kind::pass_through},
    {"/dev/bsg/", Kind::pass_through}, {"anon_inode:[io_uring]", Kind::asynchronous_io},
};

// As /proc/PID/maps shows a context of io_setup(2), and the rings of a socket.
constexpr Sign kMappings[] = {
    {"/[aio]", Kind::asynchronous_io},
    {"socket:[", Kind::packet_ring},
};

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::asynchronous_io:
      return "asynchronous I/O";
    case Kind::vhost:
      return "vhost";
    case Kind::vfio:
      return "VFIO";
    case Kind::rdma:
      return "RDMA";
    case Kind::pass_through:
      return "SCSI pass-through";
    case Kind::packet_ring:
      return "a packet ring";
  }
  return "";
}

class Findings {
 public:
  void look(std::string_view path, std::span<const Sign> signs) {
    for (const Sign& sign : signs)
      if (path.starts_with(sign.beginning) &&
          std::ranges::find(writers_, sign.kind, &KernelWriter::kind) == writers_.end())
        writers_.push_back({sign.kind, fmt::format("{} ({})", name(sign.kind), path)});
  }
  std::vector<KernelWriter> take() { return std::move(writers_); }

 private:
  std::vector<KernelWriter> writers_;
};

bool may_write(std::span<const host::Mapping> mappings, const RamLayout& layout) {
  return std::ranges::any_of(mappings, [&layout](const host::Mapping& mapping) {
    return mapping.shared && mapping.write && mapping.inode != 0 &&
           std::ranges::any_of(layout.regions, [&mapping](const RamRegion& region) {
             return region.shared && region.inode == mapping.inode &&
                    region.dev_major == mapping.dev_major && region.dev_minor == mapping.dev_minor;
           });
  });
}

}  // namespace

base::Result<std::vector<KernelWriter>> kernel_writers(const Machine& machine,
                                                       const host::ProcRoot& proc) {
  Findings findings;
  std::error_code failed;
  const std::filesystem::path folder = proc.of(machine.process.pid, "fd");
  for (std::filesystem::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto target = host::read_link(entry->path());
    if (target) findings.look(*target, kDescriptors);
  }
  const auto mappings = host::mappings(machine.process.pid, proc);
  if (!mappings) return base::fail(mappings.error());
  if (failed == std::errc::permission_denied)
    return base::fail(base::Code::denied, "the VMM's descriptors may not be listed",
                      "that takes the VMM's own user or CAP_DAC_READ_SEARCH: run it with sudo");
  if (failed)
    return base::fail_errno(failed.value(), "readdir", "cannot list the VMM's descriptors");
  for (const host::Mapping& mapping : *mappings) findings.look(mapping.path, kMappings);
  return findings.take();
}

const KernelWriter* never_at_rest(const std::vector<KernelWriter>& writers) {
  const auto found = std::ranges::find_if(
      writers, [](const KernelWriter& writer) { return writer.kind != Kind::asynchronous_io; });
  return found == writers.end() ? nullptr : &*found;
}

std::vector<std::string> sharing_writers(const Machine& machine, const RamLayout& layout,
                                         const host::ProcRoot& proc) {
  std::vector<std::string> found;
  if (std::ranges::none_of(layout.regions, &RamRegion::shared)) return found;
  std::size_t unknown = 0;
  for (const pid_t pid : host::processes(proc)) {
    if (pid == machine.process.pid) continue;
    const auto mappings = host::mappings(pid, proc);
    if (!mappings && mappings.error().code == base::Code::denied) ++unknown;
    if (!mappings || !may_write(*mappings, layout)) continue;
    const auto stat = host::process_stat(pid, proc);
    found.push_back(fmt::format("process {} ({})", stat ? stat->comm : "?", pid));
  }
  if (unknown != 0)
    found.push_back(fmt::format("one of {} processes that may not be looked at", unknown));
  return found;
}

}  // namespace vitrine::vmm
