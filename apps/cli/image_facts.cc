#include "apps/cli/image_facts.h"

#include <algorithm>

namespace vitrine::cli {
namespace {

using kernel::Finding;

constexpr std::size_t kMostRanges = 64;

void add_ram(const images::ImageFile& image, std::vector<Finding>& findings) {
  const auto ram = image.memory->ram();
  std::uint64_t bytes = 0;
  for (const memory::Range& range : ram) bytes += range.size;
  findings.push_back({"ram_bytes", bytes, "the image"});
  const std::size_t shown = std::min(ram.size(), kMostRanges);
  for (const memory::Range& range : ram.first(shown))
    findings.push_back({std::string(kRamAt) + base::to_string(range.start), range.size,
                        "up to " + base::to_string(range.end())});
  if (shown < ram.size())
    findings.push_back({"ram_ranges", std::uint64_t{ram.size()},
                        "the first " + std::to_string(shown) + " are shown"});
}

}  // namespace

std::vector<Finding> image_facts(const images::ImageFile& image, const ManifestCheck& manifest) {
  using Held = decltype(Finding::value);
  std::vector<Finding> findings;
  findings.push_back({"image_format", std::string(images::name(image.kind)), image.about});
  findings.push_back({"image_bytes", image.size, "the file's size, holes counted"});
  findings.push_back({"image_allocated_bytes", image.allocated, "what the file takes on the disk"});
  const std::size_t processors = std::max(image.processors.size(), image.registers.size());
  findings.push_back({"image_processors",
                      processors == 0 ? Held() : Held(std::uint64_t{processors}),
                      processors == 0           ? "the file keeps no registers"
                      : image.registers.empty() ? "vCPUs whose registers it keeps"
                                                : "vCPUs whose registers it keeps, CR3 included"});
  const std::size_t line = image.vmcoreinfo.find('\n');
  findings.push_back({"image_vmcoreinfo",
                      image.vmcoreinfo.empty() ? Held() : Held(image.vmcoreinfo.substr(0, line)),
                      image.vmcoreinfo.empty() ? "the file carries none" : "the file's note"});
  findings.push_back(
      {"image_one_instant", std::string(image.one_instant ? "proved" : "unknown"),
       image.kind == images::ImageKind::migration || image.kind == images::ImageKind::libvirt_save
           ? "the guest stood still when its last pages were sent"
           : "its manifest, where it has one"});
  findings.push_back({"manifest", std::string(name(manifest.verdict)), manifest.about});
  add_ram(image, findings);
  return findings;
}

std::string manifest_warning(const images::ImageFile& image, const ManifestCheck& manifest) {
  using Verdict = ManifestCheck::Verdict;
  if (manifest.verdict == Verdict::matches || manifest.verdict == Verdict::missing) return {};
  return manifest.verdict == Verdict::differs
             ? image.file.string() +
                   " is not what its manifest says: it was changed, or belongs to another manifest"
             : "the manifest cannot be used: " + manifest.about;
}

}  // namespace vitrine::cli
