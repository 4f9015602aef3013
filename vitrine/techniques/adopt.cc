#include "vitrine/techniques/adopt.h"

#include <fmt/format.h>

#include <utility>

#include "vitrine/host/memory_replacement.h"
#include "vitrine/techniques/adoption.h"
#include "vitrine/techniques/mapped_memory.h"

namespace vitrine::techniques {
namespace {

using base::fail;

class AdoptAccess final : public Access {
 public:
  AdoptAccess(std::unique_ptr<MappedMemory> memory, const Adopted& adopted)
      : memory_(std::move(memory)),
        stopped_ns_(adopted.stopped_ns),
        drained_ns_(adopted.drained_ns) {}

  memory::PhysicalMemory& memory() override { return *memory_; }

  // From the second observation on the VM does not notice.
  base::Result<void> begin() override {
    stopped_ns_ = drained_ns_ = 0;
    return {};
  }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }
  std::uint64_t drained_ns() const override { return drained_ns_; }

 private:
  std::unique_ptr<MappedMemory> memory_;
  std::uint64_t stopped_ns_;
  std::uint64_t drained_ns_;
};

}  // namespace

const Description& Adopt::description() const {
  static constexpr Description kDescription{
      .id = "adopt",
      .technique_class = "live memory mapping",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest is stopped for milliseconds, once, and keeps running",
      .access = "address-space mapping, of memory that takes the place of the VM's RAM",
      .effect = Effect::persistent,
      .demands =
          "--allow-persistent-change; CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_DAC_OVERRIDE; a QMP "
          "socket that nobody else uses; as much free memory as the VM's RAM takes, for a while; "
          "RAM "
          "that is private, neither locked nor of reserved huge pages; no vhost, VFIO, RDMA, SCSI "
          "pass-through or packet rings; userfaultfd; experimental",
      .manager = Manager::always,
      .started_with = "a QMP socket",
  };
  return kDescription;
}

base::Result<void> Adopt::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  return can_be_adopted(machine, layout);
}

std::vector<std::string> Adopt::steps(const vmm::Machine& /*machine*/,
                                      const vmm::RamLayout& layout) const {
  const std::uint64_t mebibytes = (layout.bytes() + (1 << 19)) >> 20;
  return {
      fmt::format("the VMM's threads are stopped (ptrace), and one of them makes a file in memory, "
                  "{} (memfd_create)",
                  host::MemoryReplacement::kFileName),
      std::string("the monitor stops the VM, so that its disks come to rest; the VMM is copied on "
                  "write, as the technique fork does; the VM goes on"),
      fmt::format("what it has of its {} MiB of RAM is copied into the file while the guest runs; "
                  "then, from a new copy, what it wrote meanwhile, until that is little",
                  mebibytes),
      std::string("the monitor stops the VM once more, the threads are stopped, what the guest "
                  "wrote since is copied, and the file is mapped where the RAM was; the former RAM "
                  "is given back"),
      "the threads go on, and the monitor lets the VM go on",
      std::string(
          "for good: the RAM is shared memory, which map can read and fork cannot copy; it "
          "is of small pages unless the host gives shared memory huge ones, follows no NUMA "
          "policy, is accounted to this program's control group, and ballooning gives "
          "nothing of it back"),
  };
}

base::Result<std::unique_ptr<Access>> Adopt::open(const vmm::Machine& machine,
                                                  const vmm::RamLayout& layout) const {
  if (auto allowed = usable(machine, layout); !allowed) return fail(allowed.error());
  const auto adopted = adopt_ram(machine, layout);
  if (!adopted) return fail(adopted.error());
  auto memory = MappedMemory::create(machine, adopted->layout);
  if (!memory) {
    base::Error error = memory.error();
    error.message = "the VM was adopted, but " + error.message;
    return fail(std::move(error));
  }
  return std::unique_ptr<Access>(std::make_unique<AdoptAccess>(std::move(*memory), *adopted));
}

}  // namespace vitrine::techniques
