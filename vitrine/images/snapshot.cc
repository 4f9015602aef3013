#include "vitrine/images/snapshot.h"

#include <optional>

#include "vitrine/images/frame_use.h"
#include "vitrine/images/ram_copy.h"
#include "vitrine/images/utsname.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;

// The names the kernel goes by: as the guest has them, or what is known of them.
std::vector<std::byte> read_utsname(const kernel::Kernel& kernel, memory::PhysicalMemory& memory) {
  std::vector<std::byte> names(kUtsnameBytes);
  const auto at = kernel.vmcoreinfo.utsname();
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  if (at && walked.read(*at, names)) return names;
  return make_utsname(kernel.release);
}

GuestDescription describe(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                          const SnapshotRequest& request) {
  GuestDescription guest;
  guest.ram.assign(memory.ram().begin(), memory.ram().end());
  guest.processors = request.processors;
  guest.vmcoreinfo = kernel.vmcoreinfo.text();
  guest.direct = kernel.space.direct;
  guest.image = kernel.space.image;
  guest.physical_base =
      static_cast<std::uint64_t>(kernel.vmcoreinfo.number("phys_base").value_or(0));
  guest.utsname = read_utsname(kernel, memory);
  guest.omissions = request.omissions;
  if (request.since) guest.predecessor = request.since->sha256;
  return guest;
}

base::Result<SnapshotReport> write(const GuestDescription& guest, memory::PhysicalMemory& memory,
                                   const SnapshotRequest& request, FrameUses* uses,
                                   OutputFile& file) {
  auto writer = make_writer(request.format, guest, file);
  if (!writer) return fail(writer.error());
  SnapshotReport report;
  if (auto begun = (*writer)->begin(); !begun) return fail(begun.error());
  RamCopy copy(memory, request, **writer, uses, report);
  if (auto copied = copy.run(); !copied) return fail(copied.error());
  auto digest = (*writer)->finish();
  if (!digest) return fail(digest.error());
  if (digest->empty()) return fail(Code::unsupported, "OpenSSL offers no SHA-256 on this host");
  report.sha256 = std::move(*digest);
  report.size = (*writer)->size();
  auto allocated = file.allocated();
  if (!allocated) return fail(allocated.error());
  report.allocated_bytes = *allocated;
  return report;
}

}  // namespace

base::Result<SnapshotReport> write_snapshot(const kernel::Kernel& kernel,
                                            memory::PhysicalMemory& memory,
                                            const SnapshotRequest& request, OutputFile& file) {
  const bool needs_account = request.omissions.free || request.omissions.cache;
  if (kernel.architecture != kernel::Architecture::x86_64 &&
      (request.format != Format::raw || needs_account))
    return fail(Code::unsupported,
                "of an arm64 guest only raw images can be written, with all pages that it has",
                "use --format raw, without --skip free and cache");
  std::optional<FrameUses> uses;
  if (needs_account) {
    auto created = FrameUses::create(kernel, memory);
    if (!created) return fail(created.error());
    uses.emplace(std::move(*created));
  }
  return write(describe(kernel, memory, request), memory, request, uses ? &*uses : nullptr, file);
}

base::Result<SnapshotReport> write_image(const GuestDescription& guest,
                                         memory::PhysicalMemory& memory,
                                         const SnapshotRequest& request, OutputFile& file) {
  if (request.omissions.free || request.omissions.cache)
    return fail(Code::invalid, "what is free or cache can only be told in a running guest");
  return write(guest, memory, request, nullptr, file);
}

}  // namespace vitrine::images
