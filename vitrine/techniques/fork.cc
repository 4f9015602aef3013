#include "vitrine/techniques/fork.h"

#include <optional>
#include <utility>
#include <vector>

#include "vitrine/host/process_copy.h"
#include "vitrine/techniques/process_vm.h"
#include "vitrine/techniques/region_access.h"
#include "vitrine/vmm/outside_writers.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using base::fail;

// The memory of the copy that was taken last.
class LatestCopy final : public memory::PhysicalMemory {
 public:
  explicit LatestCopy(vmm::RamLayout layout) : layout_(std::move(layout)) {}

  base::Result<void> look_at(pid_t copy) {
    auto pagemap = host::Pagemap::open(copy);
    if (!pagemap) return fail(pagemap.error());
    memory_.emplace(layout_, std::make_unique<ProcessVmPieces>(copy), std::move(*pagemap));
    return {};
  }

  void read(std::span<memory::ReadRequest> requests) override { memory_->read(requests); }
  std::span<const memory::Range> ram() const override { return memory_->ram(); }
  std::vector<memory::Range> populated(memory::Range within) override {
    return memory_->populated(within);
  }

 private:
  vmm::RamLayout layout_;
  std::optional<RegionMemory> memory_;
};

base::Error refused(const std::string& why) {
  return {Code::unsupported, "the VMM can't be forked: " + why,
          "use --technique background-snapshot or dump"};
}

// A page that a device writes to while it is being shared may lose what is written.
base::Result<void> nobody_else_writes(const vmm::Machine& machine) {
  const auto writers = vmm::kernel_writers(machine);
  if (!writers) return fail(writers.error());
  if (writers->empty()) return {};
  return fail(refused("it uses " + writers->front() + ", which may write to memory meanwhile"));
}

class ForkAccess final : public Access {
 public:
  ForkAccess(vmm::Machine machine, const vmm::RamLayout& layout)
      : machine_(std::move(machine)), memory_(layout) {
    for (const vmm::RamRegion& region : layout.regions)
      ranges_.push_back({region.host, region.size});
  }

  memory::PhysicalMemory& memory() override { return memory_; }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }

  base::Result<void> begin() override {
    // Each time: devices may be plugged in.
    if (auto alone = nobody_else_writes(machine_); !alone) return alone;
    if (!copy_) {
      auto started = host::ProcessCopy::start(machine_.process);
      if (!started) return fail(started.error());
      copy_ = std::move(*started);
    }
    auto taken = copy_->take(ranges_);
    if (!taken) {
      copy_.reset();
      return fail(taken.error());
    }
    stopped_ns_ = taken->stopped_ns;
    return memory_.look_at(taken->pid);
  }

  // What was read counts only if the copy was there to the end.
  base::Result<void> end() override {
    if (!copy_) return fail(Code::gone, "there is no copy of the VM");
    return copy_->check();
  }

  // What the guest writes while there is a copy has to be copied.
  base::Result<void> rest() override {
    auto dropped = copy_ ? copy_->drop() : base::Result<void>();
    if (!dropped) copy_.reset();
    return dropped;
  }

 private:
  vmm::Machine machine_;
  std::optional<host::ProcessCopy> copy_;
  LatestCopy memory_;
  std::vector<host::CopiedRange> ranges_;
  std::uint64_t stopped_ns_ = 0;
};

}  // namespace

const Description& Fork::description() const {
  static constexpr Description kDescription{
      .id = "fork",
      .technique_class = "live snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped for milliseconds, then runs while the copy is read",
      .access = "reads on a process (a copy-on-write copy of the VMM)",
      .effect = Effect::intrusive,
      .demands =
          "CAP_SYS_PTRACE and CAP_DAC_OVERRIDE, or the VMM's own user where ptrace is not "
          "restricted; RAM that is neither shared nor of reserved huge pages; no vhost, VFIO, "
          "RDMA, SCSI pass-through, packet rings or asynchronous disk I/O; where the VMM has a "
          "seccomp filter: CAP_SYS_ADMIN",
      .one_instant = true,
  };
  return kDescription;
}

base::Result<void> Fork::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  if (auto readable = ProcessVm().usable(machine, layout); !readable) return readable;
  for (const vmm::RamRegion& region : layout.regions) {
    if (region.shared) return fail(refused("its RAM is shared, so that a copy would not keep it"));
    if (region.backing == vmm::Backing::hugetlb)
      return fail(refused("its RAM is made of reserved huge pages"));
  }
  return nobody_else_writes(machine);
}

base::Result<std::unique_ptr<Access>> Fork::open(const vmm::Machine& machine,
                                                 const vmm::RamLayout& layout) const {
  if (auto allowed = usable(machine, layout); !allowed) return fail(allowed.error());
  auto access = std::make_unique<ForkAccess>(machine, layout);
  if (auto begun = access->begin(); !begun) return fail(begun.error());
  return access;
}

}  // namespace vitrine::techniques
