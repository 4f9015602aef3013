#include "vitrine/techniques/ram_image.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>

#include "vitrine/host/proc_root.h"
#include "vitrine/host/temporary_file.h"
#include "vitrine/techniques/mapped_memory.h"

namespace vitrine::techniques {
namespace {

using base::kPage;

// Bytes of shared RAM that nobody has touched so far.
std::uint64_t untouched_shared(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> seen;
  std::uint64_t shared = 0;
  std::uint64_t allocated = 0;
  for (const vmm::RamRegion& region : layout.regions) {
    if (!region.shared || region.inode == 0) continue;
    shared += region.size;
    const std::pair file{region.dev_minor, region.inode};
    if (std::ranges::find(seen, file) != seen.end()) continue;
    seen.push_back(file);
    struct stat info {};
    if (const auto backing = open_backing(machine.process.pid, region);
        backing && fstat(backing->get(), &info) == 0)
      allocated += static_cast<std::uint64_t>(info.st_blocks) * 512;
  }
  return shared > allocated ? shared - allocated : 0;
}

// Bytes that the host can give without swapping; all there are where it does not say.
std::uint64_t available_memory() {
  const auto text = host::read_file(host::ProcRoot().of("meminfo"));
  constexpr std::string_view kKey = "MemAvailable:";
  const auto at = text ? text->find(kKey) : std::string::npos;
  if (at == std::string::npos) return ~std::uint64_t{0};
  const auto digits = text->find_first_of("0123456789", at);
  std::uint64_t kilobytes = 0;
  if (digits != std::string::npos)
    std::from_chars(text->data() + digits, text->data() + text->size(), kilobytes);
  return kilobytes << 10;
}

}  // namespace

base::Result<std::unique_ptr<RamImage>> RamImage::create(const vmm::RamLayout& layout) {
  std::vector<memory::ImageExtent> extents;
  std::vector<std::uint64_t> offsets;
  std::uint64_t size = 0;
  for (const vmm::RamRegion& region : layout.regions) {
    extents.push_back({{region.start, region.size}, size});
    offsets.push_back(size);
    size += (region.size + kPage - 1) / kPage * kPage;
  }
  auto file = host::temporary_file(size);
  if (!file) return base::fail(file.error());
  auto memory = memory::ImageMemory::create(std::move(*file), std::move(extents));
  if (!memory) return base::fail(memory.error());
  return std::unique_ptr<RamImage>(new RamImage(std::move(*memory), std::move(offsets), size));
}

base::Result<void> can_be_copied(const vmm::Machine& machine, const vmm::RamLayout& layout) {
  if (auto file = host::temporary_file(layout.bytes()); !file) return base::fail(file.error());
  const std::uint64_t untouched = untouched_shared(machine, layout);
  const std::uint64_t available = available_memory();
  // Half of it is left for everybody else.
  if (untouched > available / 2)
    return base::fail(
        base::Code::unsupported,
        fmt::format("reading all of the VM's RAM, which is shared, would make the host allocate {} "
                    "MiB that the guest never used, of {} MiB that are available",
                    untouched >> 20, available >> 20),
        "use --technique map or process-vm, which leave such memory alone");
  return {};
}

}  // namespace vitrine::techniques
