#include "vitrine/techniques/libvirt_dump.h"

#include <unistd.h>

#include <chrono>

#include "vitrine/techniques/core_copy.h"
#include "vitrine/techniques/monitor_copy.h"
#include "vitrine/vmm/libvirt_domain.h"

namespace vitrine::techniques {
namespace {

using Clock = std::chrono::steady_clock;

class LibvirtDumpAccess final : public Access, public SavedRegisters {
 public:
  LibvirtDumpAccess(std::uint64_t ram_bytes, vmm::LibvirtDomain domain,
                    std::unique_ptr<CoreCopy> copy)
      : ram_bytes_(ram_bytes), domain_(std::move(domain)), copy_(std::move(copy)) {}

  memory::PhysicalMemory& memory() override { return copy_->memory(); }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }
  base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() override {
    return copy_->saved_registers();
  }

  base::Result<void> begin() override {
    stopped_ns_ = 0;
    if (auto written = write(); !written) return written;
    return copy_->show();
  }

 private:
  base::Result<void> write();

  std::uint64_t ram_bytes_;
  vmm::LibvirtDomain domain_;
  std::unique_ptr<CoreCopy> copy_;
  std::uint64_t stopped_ns_ = 0;
};

base::Result<void> LibvirtDumpAccess::write() {
  const auto runs = domain_.running();
  if (!runs) return base::fail(runs.error());
  auto drain = copy_->begin();
  if (!drain) return base::fail(drain.error());
  const std::string path =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string((*drain)->writer());
  const Clock::time_point stopped = Clock::now();
  if (auto dumped = domain_.core_dump(path, time_to_write(ram_bytes_)); !dumped)
    return base::fail(explain(**drain, dumped.error()));
  if (*runs)
    stopped_ns_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - stopped).count());
  // Ours was the last end to write into: the daemon has closed its own.
  (*drain)->close_writer();
  return (*drain)->finish(kSilence);
}

}  // namespace

const Description& LibvirtDump::description() const {
  static constexpr Description kDescription{
      .id = "libvirt-dump",
      .technique_class = "halting snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped while it is copied",
      .access = "the manager's interface (libvirt's core dump)",
      .effect = Effect::intrusive,
      .demands =
          "a VM that a libvirt daemon of this host runs; to be the daemon's own user, or a daemon "
          "that is root's; libvirt's client library; room for the RAM in TMPDIR or /var/tmp; a "
          "64-bit guest that has booted",
      .one_instant = true,
      .manager = Manager::always,
      .started_with = "libvirt",
  };
  return kDescription;
}

base::Result<void> LibvirtDump::usable(const vmm::Machine& machine,
                                       const vmm::RamLayout& layout) const {
  auto domain = vmm::LibvirtDomain::of(machine);
  if (!domain) return base::fail(domain.error());
  return can_be_copied(machine, layout);
}

base::Result<std::unique_ptr<Access>> LibvirtDump::open(const vmm::Machine& machine,
                                                        const vmm::RamLayout& layout) const {
  auto domain = vmm::LibvirtDomain::of(machine);
  if (!domain) return base::fail(domain.error());
  auto copy = CoreCopy::create(layout);
  if (!copy) return base::fail(copy.error());
  auto access =
      std::make_unique<LibvirtDumpAccess>(layout.bytes(), std::move(*domain), std::move(*copy));
  if (auto begun = access->begin(); !begun) return base::fail(begun.error());
  return access;
}

}  // namespace vitrine::techniques
