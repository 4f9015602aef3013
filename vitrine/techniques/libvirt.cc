#include "vitrine/techniques/libvirt.h"

#include "vitrine/techniques/asked_memory.h"
#include "vitrine/vmm/libvirt_domain.h"

namespace vitrine::techniques {
namespace {

// A call costs a millisecond or more, as much as what is fetched of about this size.
constexpr Merging kLibvirtMerging{.gap = 256 << 10, .piece = vmm::LibvirtDomain::kLongest};

class DomainAsker final : public Asker {
 public:
  explicit DomainAsker(vmm::LibvirtDomain domain) : domain_(std::move(domain)) {}
  void read(std::span<memory::ReadRequest> pieces) override { domain_.read(pieces); }

 private:
  vmm::LibvirtDomain domain_;
};

class LibvirtAccess final : public Access {
 public:
  LibvirtAccess(vmm::LibvirtDomain domain, PopulatedPages pages)
      : asker_(std::move(domain)), memory_(std::move(pages), asker_, kLibvirtMerging) {}

  memory::PhysicalMemory& memory() override { return memory_; }

 private:
  DomainAsker asker_;
  AskedMemory memory_;
};

}  // namespace

const Description& Libvirt::description() const {
  static constexpr Description kDescription{
      .id = "libvirt",
      .technique_class = "live reads through the manager's interface",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest keeps running",
      .access = "the manager's interface (libvirt's memory peek)",
      .effect = Effect::intrusive,
      .demands =
          "a VM that a libvirt daemon of this host runs, the right to use that daemon, and "
          "libvirt's client library",
      .searches = false,
      .needs_running_vmm = true,
      .manager = Manager::always,
      .started_with = "libvirt",
  };
  return kDescription;
}

base::Result<void> Libvirt::usable(const vmm::Machine& machine,
                                   const vmm::RamLayout& layout) const {
  (void)layout;
  auto pagemap = host::Pagemap::open(machine.process.pid);
  if (!pagemap) return base::fail(pagemap.error());
  auto domain = vmm::LibvirtDomain::of(machine);
  if (!domain) return base::fail(domain.error());
  return {};
}

base::Result<std::unique_ptr<Access>> Libvirt::open(const vmm::Machine& machine,
                                                    const vmm::RamLayout& layout) const {
  auto pages = PopulatedPages::open(machine.process.pid, layout);
  if (!pages) return base::fail(pages.error());
  auto domain = vmm::LibvirtDomain::of(machine);
  if (!domain) return base::fail(domain.error());
  return std::make_unique<LibvirtAccess>(std::move(*domain), std::move(*pages));
}

}  // namespace vitrine::techniques
