#include "vitrine/images/image_chain.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vitrine/images/file_digest.h"
#include "vitrine/images/utsname.h"
#include "vitrine/kernel/vmcoreinfo.h"
#include "vitrine/memory/prstatus.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;
using base::GuestPhysical;
using memory::ReadStatus;

base::Result<Incremental> incremental_of(const memory::ElfCore& core) {
  for (const memory::ElfNote& note : core.notes)
    if (note.name == Incremental::kNoteName && note.type == Incremental::kNoteType)
      return parse_incremental_note(note.content);
  return fail(Code::inconsistent, "the incremental image does not tell what it builds on");
}

std::uint64_t pages_of(std::span<const memory::Range> ram) {
  std::uint64_t pages = 0;
  for (const memory::Range& range : ram) pages += range.size / kPageBytes;
  return pages;
}

bool in_whole_pages(std::span<const memory::Range> ram) {
  return std::ranges::all_of(ram, [](const memory::Range& range) {
    return range.start.value % kPageBytes == 0 && range.size % kPageBytes == 0;
  });
}

}  // namespace

base::Result<std::unique_ptr<ImageChain>> ImageChain::open(std::span<const ChainLink> links) {
  if (links.empty()) return fail(Code::invalid, "there is no image to read");
  std::unique_ptr<ImageChain> chain(new ImageChain);
  for (const ChainLink& link : links)
    if (auto added = chain->add(link); !added)
      return fail(base::about(link.file.string(), added.error()));
  return chain;
}

base::Result<void> ImageChain::add(const ChainLink& link) {
  base::FileDescriptor file(::open(link.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return base::fail_errno(errno, "open", "cannot open the image");
  struct stat info {};
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return fail(Code::invalid, "the image is no regular file");
  auto core = memory::read_elf_image(file.get());
  if (!core) return fail(core.error());
  auto memory = memory::ImageMemory::create(std::move(file), core->extents);
  if (!memory) return fail(memory.error());
  if ((*memory)->ram().empty() || !in_whole_pages((*memory)->ram()))
    return fail(Code::inconsistent, "the image's RAM does not consist of whole pages");
  Layer layer{link, std::move(*memory), {}};
  if (core->incremental == layers_.empty())
    return fail(Code::inconsistent, layers_.empty() ? "the image is incremental"
                                                    : "the image is whole and builds on none");
  if (core->incremental) {
    auto incremental = incremental_of(*core);
    if (!incremental) return fail(incremental.error());
    if (incremental->predecessor != layers_.back().link.sha256)
      return fail(Code::inconsistent,
                  "the image builds on another than " + layers_.back().link.file.string(),
                  "name the image whose SHA-256 is " + incremental->predecessor);
    if (!std::ranges::equal(layer.memory->ram(), ram()) ||
        incremental->held.pages() != pages_of(ram()))
      return fail(Code::inconsistent, "the image has other RAM than the one it builds on");
    layer.held = std::move(incremental->held);
  }
  newest_ = std::move(*core);
  layers_.push_back(std::move(layer));
  return {};
}

base::Result<void> ImageChain::verify(
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  for (const Layer& layer : layers_) {
    struct stat info {};
    if (fstat(layer.memory->file(), &info) == 0) total += static_cast<std::uint64_t>(info.st_size);
  }
  for (const Layer& layer : layers_) {
    std::uint64_t read = 0;
    const auto digest =
        file_digest(layer.memory->file(), layer.link.file.string(), [&](std::uint64_t now) {
          progress(done + now, total);
          read = now;
        });
    if (!digest) return fail(digest.error());
    done += read;
    if (*digest != layer.link.sha256)
      return fail(Code::inconsistent,
                  layer.link.file.string() + ": the image is not what its manifest says",
                  "it was changed or damaged: take it from another copy");
  }
  return {};
}

GuestDescription ImageChain::description() const {
  GuestDescription guest;
  guest.ram.assign(ram().begin(), ram().end());
  for (const memory::ElfNote& note : newest_.notes) {
    if (note.name == "VMCOREINFO")
      std::ranges::transform(note.content, std::back_inserter(guest.vmcoreinfo),
                             [](std::byte byte) { return static_cast<char>(byte); });
    if (note.name != "CORE") continue;
    if (const auto processor = memory::parse_prstatus(note.content))
      guest.processors.push_back(*processor);
  }
  for (const memory::ElfSegment& segment : newest_.segments) {
    const bool is_ram = std::ranges::find(guest.ram, segment.range) != guest.ram.end();
    if (!is_ram) {
      guest.image = {segment.address, segment.range.size, segment.range.start};
    } else if (segment.address.value != 0) {
      // The segments' addresses have one distance: that of the direct map, which covers them all.
      if (guest.direct.size == 0) guest.direct = {segment.address, 0, segment.range.start};
      guest.direct.size = segment.range.end() - guest.direct.physical;
    }
  }
  if (const auto info = kernel::Vmcoreinfo::parse(guest.vmcoreinfo)) {
    guest.physical_base = static_cast<std::uint64_t>(info->number("phys_base").value_or(0));
    guest.utsname = make_utsname(info->release());
  }
  return guest;
}

std::optional<std::uint64_t> ImageChain::page_number(GuestPhysical at) const {
  std::uint64_t first = 0;
  for (const memory::Range& range : ram()) {
    if (range.contains(at, 1)) return first + (at - range.start) / kPageBytes;
    first += range.size / kPageBytes;
  }
  return std::nullopt;
}

memory::ImageMemory& ImageChain::holder(std::uint64_t page) {
  for (std::size_t i = layers_.size(); i-- > 1;)
    if (layers_[i].held->test(page)) return *layers_[i].memory;
  return *layers_.front().memory;
}

// Page by page, since each may be in another image.
ReadStatus ImageChain::read(GuestPhysical at, std::span<std::byte> into) {
  while (!into.empty()) {
    const auto page = page_number(at);
    if (!page) return ReadStatus::outside_ram;
    const std::uint64_t length =
        std::min<std::uint64_t>(kPageBytes - at.value % kPageBytes, into.size());
    const ReadStatus status = holder(*page).PhysicalMemory::read(at, into.first(length));
    if (status != ReadStatus::ok) return status;
    at = at + length;
    into = into.subspan(length);
  }
  return ReadStatus::ok;
}

void ImageChain::read(std::span<memory::ReadRequest> requests) {
  for (memory::ReadRequest& request : requests) {
    const bool inside = std::ranges::any_of(ram(), [&request](const memory::Range& range) {
      return range.contains(request.address, request.into.size());
    });
    request.status = inside ? read(request.address, request.into) : ReadStatus::outside_ram;
  }
}

// Of each image what it holds where it has data.
std::vector<memory::Range> ImageChain::populated(memory::Range within) {
  std::vector<memory::Range> found;
  for (const memory::Range& range : ram()) {
    const GuestPhysical start =
        std::max(range.start, GuestPhysical(within.start.value / kPageBytes * kPageBytes));
    const GuestPhysical end = std::min(range.end(), within.end());
    if (start < end) append_populated({start, end - start}, found);
  }
  return found;
}

// `within` begins with a page and lies within one range of RAM.
void ImageChain::append_populated(memory::Range within, std::vector<memory::Range>& found) {
  const std::uint64_t first = *page_number(within.start);
  std::vector<std::uint8_t> has_data((within.size + kPageBytes - 1) / kPageBytes);
  for (Layer& layer : layers_) {
    for (const memory::Range& part : layer.memory->populated(within)) {
      const std::uint64_t begin = (part.start - within.start) / kPageBytes;
      const std::uint64_t end = std::min<std::uint64_t>(
          begin + (part.size + kPageBytes - 1) / kPageBytes, has_data.size());
      for (std::uint64_t page = begin; page < end; ++page)
        if (&holder(first + page) == layer.memory.get()) has_data[page] = 1;
    }
  }
  for (std::uint64_t page = 0; page < has_data.size(); ++page) {
    if (has_data[page] == 0) continue;
    const GuestPhysical at = within.start + page * kPageBytes;
    if (!found.empty() && found.back().end() == at)
      found.back().size += kPageBytes;
    else
      found.push_back({at, kPageBytes});
  }
}

}  // namespace vitrine::images
