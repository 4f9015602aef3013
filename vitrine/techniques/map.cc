#include "vitrine/techniques/map.h"

#include <algorithm>

#include "vitrine/techniques/mapped_memory.h"

namespace vitrine::techniques {
namespace {

class MapAccess final : public Access {
 public:
  explicit MapAccess(std::unique_ptr<MappedMemory> memory) : memory_(std::move(memory)) {}
  memory::PhysicalMemory& memory() override { return *memory_; }

 private:
  std::unique_ptr<MappedMemory> memory_;
};

}  // namespace

const Description& Map::description() const {
  static constexpr Description kDescription{
      .id = "map",
      .technique_class = "live memory mapping",
      .cooperation = "none",
      .snapshot = "live memory",
      .liveness = "guest keeps running",
      .access = "address-space mapping",
      .effect = Effect::passive,
      .demands =
          "RAM on a shared backend (memfd, or a file with share=on); userfaultfd; "
          "CAP_SYS_PTRACE or the VMM's own user",
      .started_with = "RAM on a shared backend",
  };
  return kDescription;
}

base::Result<void> Map::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  const auto is_private = [](const vmm::RamRegion& region) {
    return !region.shared || region.inode == 0;
  };
  if (const auto region = std::ranges::find_if(layout.regions, is_private);
      region != layout.regions.end())
    return base::fail(
        base::Code::unsupported,
        "the VM's RAM (" + region->block + ") is " + std::string(vmm::name(region->backing)) +
            " of its VMM, not shared",
        "start the VM with shared RAM: -object memory-backend-memfd,id=ram,"
        "size=SIZE,share=on -machine memory-backend=ram; or use --technique process-vm");
  for (const vmm::RamRegion& region : layout.regions) {
    auto file = open_backing(machine.process.pid, region);
    if (!file) return base::fail(file.error());
    // Whether this host lets us map without filling holes shows in one page.
    auto mapping = host::HoleSafeMapping::create(file->get(), region.file_offset,
                                                 std::min<std::uint64_t>(region.size, 2u << 20));
    if (!mapping) return base::fail(mapping.error());
  }
  return {};
}

base::Result<std::unique_ptr<Access>> Map::open(const vmm::Machine& machine,
                                                const vmm::RamLayout& layout) const {
  if (auto allowed = usable(machine, layout); !allowed) return base::fail(allowed.error());
  auto memory = MappedMemory::create(machine, layout);
  if (!memory) return base::fail(memory.error());
  return std::unique_ptr<Access>(std::make_unique<MapAccess>(std::move(*memory)));
}

}  // namespace vitrine::techniques
