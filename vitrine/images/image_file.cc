#include "vitrine/images/image_file.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "vitrine/memory/elf_core.h"
#include "vitrine/memory/file_bytes.h"
#include "vitrine/memory/image_memory.h"
#include "vitrine/memory/kdump_memory.h"
#include "vitrine/memory/libvirt_save.h"
#include "vitrine/memory/lime.h"
#include "vitrine/memory/prstatus.h"
#include "vitrine/memory/qemu_cpu_state.h"
#include "vitrine/memory/stream_memory.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;

constexpr std::size_t kHead = 16;  // bytes by which a format is told

// Files that are known and not read: what they are, and what to do.
struct Other {
  std::string_view magic;
  const char* what;
  const char* remedy;
};
constexpr auto kOthers = std::to_array<Other>({
    {"\x1f\x8b", "is compressed with gzip", "unpack it first"},
    {"\xfd\x37zXZ", "is compressed with xz", "unpack it first"},
    {"\x28\xb5\x2f\xfd", "is compressed with zstd", "unpack it first"},
    {"BZh", "is compressed with bzip2", "unpack it first"},
    {"QFI\xfb", "is a disk image (qcow2)",
     "memory is in another file; virsh dump --memory-only or vitrine snapshot save it"},
    {"AVML", "is an AVML image", "convert it with avml-convert --format lime"},
    {"makedumpfile", "is a crash dump in makedumpfile's flattened form",
     "bring it in order with makedumpfile -R OUTPUT < FILE"},
});

struct Opened {
  base::FileDescriptor file;
  std::string head;
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;
};

base::Result<Opened> open_file(const std::filesystem::path& path) {
  Opened opened;
  // Opening a FIFO must not wait for somebody to write.
  opened.file = base::FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.file.valid()) return base::fail_errno(errno, "open", "cannot open " + path.string());
  struct stat info {};
  if (fstat(opened.file.get(), &info) != 0)
    return base::fail_errno(errno, "fstat", "cannot look at " + path.string());
  if (!S_ISREG(info.st_mode))
    return fail(Code::invalid, path.string() + " is no regular file, so no memory image",
                "name a VM or a memory image");
  opened.size = static_cast<std::uint64_t>(info.st_size);
  opened.allocated = static_cast<std::uint64_t>(info.st_blocks) * 512;
  if (opened.size == 0)
    return fail(Code::inconsistent, path.string() + " is empty", "take the image again");
  opened.head.resize(std::min<std::uint64_t>(kHead, opened.size));
  auto read = memory::read_exactly(
      opened.file.get(), 0,
      std::as_writable_bytes(std::span(opened.head.data(), opened.head.size())), "image");
  if (!read) return fail(read.error());
  return opened;
}

ImageKind kind_of(std::string_view head) {
  if (head.starts_with(ELFMAG)) return ImageKind::elf;
  if (head.starts_with("KDUMP   ") || head.starts_with("DISKDUMP")) return ImageKind::kdump;
  if (head.starts_with("EMiL")) return ImageKind::lime;
  if (head.starts_with("QEVM")) return ImageKind::migration;
  if (head.starts_with(memory::kLibvirtSaved) || head.starts_with(memory::kLibvirtPartial))
    return ImageKind::libvirt_save;
  if (head.starts_with(kEvidenceMagic)) return ImageKind::evidence;
  return ImageKind::raw;
}

base::Result<void> map(ImageFile& image, base::FileDescriptor file,
                       std::vector<memory::ImageExtent> extents) {
  if (extents.empty())
    return fail(Code::inconsistent, "the image holds no RAM", "take it from another copy");
  for (const memory::ImageExtent& extent : extents)
    if (extent.offset > image.size || extent.range.size > image.size - extent.offset)
      return fail(Code::inconsistent,
                  "the image is truncated: its headers tell of RAM up to byte " +
                      std::to_string(extent.offset + extent.range.size) + ", but it has " +
                      std::to_string(image.size),
                  "take it from another copy, or take it again");
  auto memory = memory::ImageMemory::create(std::move(file), std::move(extents));
  if (!memory) return fail(memory.error());
  image.memory = std::move(*memory);
  return {};
}

void take_notes(ImageFile& image, std::span<const memory::ElfNote> notes) {
  for (const memory::ElfNote& note : notes) {
    if (note.name == "VMCOREINFO")
      image.vmcoreinfo.assign(reinterpret_cast<const char*>(note.content.data()),
                              note.content.size());
    if (note.name == "CORE" && note.type == NT_PRSTATUS)
      if (auto processor = memory::parse_prstatus(note.content))
        image.processors.push_back(*processor);
    if (note.name == "QEMU")
      if (auto registers = memory::parse_qemu_cpu_state(note.content))
        image.registers.push_back(*registers);
  }
}

base::Result<void> open_elf(ImageFile& image, base::FileDescriptor file) {
  auto core = memory::read_elf_core(file.get());
  if (!core) return fail(core.error());
  take_notes(image, core->notes);
  image.about = "ELF core file with " + std::to_string(core->notes.size()) + " notes" +
                (image.registers.empty() ? "" : ", as QEMU dumps");
  return map(image, std::move(file), std::move(core->extents));
}

base::Result<void> open_chain(ImageFile& image, std::span<const ChainLink> chain) {
  auto opened = ImageChain::open(chain);
  if (!opened) return fail(opened.error());
  GuestDescription guest = (*opened)->description();
  image.kind = ImageKind::incremental;
  image.about = "incremental ELF image, the newest of " + std::to_string(chain.size());
  image.vmcoreinfo = std::move(guest.vmcoreinfo);
  image.processors = std::move(guest.processors);
  image.memory = std::move(*opened);
  return {};
}

base::Result<void> open_kdump(ImageFile& image, base::FileDescriptor file) {
  auto dump = memory::KdumpMemory::create(std::move(file));
  if (!dump) return fail(dump.error());
  image.about = "compressed crash dump (" + (*dump)->format() + ")";
  image.vmcoreinfo = (*dump)->vmcoreinfo();
  image.processors = (*dump)->processors();
  image.memory = std::move(*dump);
  return {};
}

base::Result<void> open_lime(ImageFile& image, base::FileDescriptor file) {
  auto extents = memory::read_lime(file.get());
  if (!extents) return fail(extents.error());
  image.about = "LiME image, version 1";
  return map(image, std::move(file), std::move(*extents));
}

base::Result<void> open_stream(ImageFile& image, base::FileDescriptor file, std::uint64_t start) {
  auto stream = memory::StreamMemory::create(std::move(file), start);
  if (!stream) return fail(stream.error());
  image.about += "QEMU migration stream";
  if (!(*stream)->machine().empty()) image.about += " of a " + (*stream)->machine();
  // QEMU sends the last pages while the guest stands still, and nothing is read after that.
  image.one_instant = true;
  image.memory = std::move(*stream);
  return {};
}

base::Result<void> open_saved(ImageFile& image, base::FileDescriptor file) {
  auto save = memory::read_libvirt_save(file.get());
  if (!save) return fail(save.error());
  image.vm_name = std::move(save->name);
  image.about = "saved by libvirt: ";
  return open_stream(image, std::move(file), save->stream);
}

base::Result<void> open_raw(ImageFile& image, base::FileDescriptor file) {
  if (image.size % kPageBytes != 0)
    return fail(
        Code::unsupported,
        "the file has no known format of memory images, and is no bare memory either, which "
        "would consist of whole pages",
        "known are raw, ELF core, kdump, LiME, and QEMU's and libvirt's saved VMs; a "
        "truncated image has to be taken from another copy");
  image.about = "bare memory: no header says what it is";
  return map(image, std::move(file), {{{base::GuestPhysical(0), image.size}, 0}});
}

base::Result<void> open_evidence(ImageFile& image, const base::FileDescriptor& file) {
  auto evidence = read_evidence(file.get());
  if (!evidence) return fail(evidence.error());
  image.about =
      "evidence: what " + evidence->told("view") + " read on " + evidence->told("started");
  image.vm_name = evidence->told("vm_name");
  image.one_instant = evidence->told("atomic") == "proved";
  image.vmcoreinfo = evidence->vmcoreinfo;
  image.memory =
      std::make_unique<memory::RecordedMemory>(evidence->ram, std::exchange(evidence->bytes, {}));
  image.evidence = std::make_shared<const Evidence>(std::move(*evidence));
  return {};
}

base::Result<void> open_as(ImageFile& image, base::FileDescriptor file) {
  switch (image.kind) {
    case ImageKind::raw:
      return open_raw(image, std::move(file));
    case ImageKind::elf:
    case ImageKind::incremental:
      return open_elf(image, std::move(file));
    case ImageKind::kdump:
      return open_kdump(image, std::move(file));
    case ImageKind::lime:
      return open_lime(image, std::move(file));
    case ImageKind::migration:
      return open_stream(image, std::move(file), 0);
    case ImageKind::libvirt_save:
      return open_saved(image, std::move(file));
    case ImageKind::evidence:
      return open_evidence(image, file);
  }
  return {};
}

}  // namespace

std::string_view name(ImageKind kind) {
  constexpr std::array<std::string_view, 8> kNames{"raw",  "elf",       "incremental",  "kdump",
                                                   "lime", "migration", "libvirt-save", "evidence"};
  return kNames.at(static_cast<std::size_t>(kind));
}

base::Result<ImageFile> open_image(const std::filesystem::path& path,
                                   std::span<const ChainLink> chain) {
  auto opened = open_file(path);
  if (!opened) return fail(opened.error());
  for (const Other& other : kOthers)
    if (opened->head.starts_with(other.magic))
      return fail(Code::unsupported, path.string() + " " + other.what, other.remedy);
  ImageFile image;
  image.file = path;
  image.kind = kind_of(opened->head);
  image.size = opened->size;
  image.allocated = opened->allocated;
  auto done = chain.empty() ? open_as(image, std::move(opened->file)) : open_chain(image, chain);
  if (!done) return fail(base::about(path.string(), done.error()));
  return image;
}

bool is_incremental(const std::filesystem::path& path) {
  auto opened = open_file(path);
  if (!opened || kind_of(opened->head) != ImageKind::elf) return false;
  const auto core = memory::read_elf_image(opened->file.get());
  return core && core->incremental;
}

}  // namespace vitrine::images
