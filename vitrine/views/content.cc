#include "vitrine/views/content.h"

#include <algorithm>
#include <array>

namespace vitrine::views {
namespace {

using base::Code;
using base::fail;
using base::kPage;

constexpr std::uint64_t kPiece = 256 << 10;   // bytes read at once
constexpr std::size_t kMaxRanges = 1U << 20;  // of a file

// File systems whose files are in the page cache and nowhere else (but on swap).
bool keeps_files_in_memory(std::string_view type) {
  constexpr std::array<std::string_view, 4> kTypes{"tmpfs", "ramfs", "rootfs", "devtmpfs"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

Presence presence_of(PageState state, Presence between) {
  switch (state) {
    case PageState::cached:
      return Presence::cached;
    case PageState::absent:
      break;
    case PageState::number:
      return between == Presence::hole ? Presence::swapped : Presence::missing;
    case PageState::damaged:
      return Presence::damaged;
  }
  return between;
}

}  // namespace

constinit const std::array<Column, Content::kColumns> Content::kColumnDeclarations{{
    {"offset", Type::integer, "where the range begins in the file, in bytes"},
    {"size_bytes", Type::bytes, "length of the range in bytes"},
    {"state", Type::text,
     "cached; missing from the guest's memory; swapped out by the guest; hole, where the file has "
     "zeros; damaged, where the page cache contradicts itself; unreadable for the host"},
}};

std::string_view name(Presence presence) {
  constexpr std::array<std::string_view, 6> kNames{"cached", "missing", "swapped",
                                                   "hole",   "damaged", "unreadable"};
  return kNames.at(static_cast<std::size_t>(presence));
}

std::span<const Column> Content::declared_columns() { return kColumnDeclarations; }

base::Result<std::unique_ptr<View>> Content::attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    ContentOptions options) {
  auto finder = FileFinder::attach(kernel, memory);
  if (!finder) return fail(finder.error());
  std::uint64_t ram = 0;
  for (const memory::Range& range : memory.ram()) ram += range.size;
  return std::unique_ptr<View>(new Content(std::move(*finder), memory, ram, std::move(options)));
}

Outcome Content::collect(Reader& reader) {
  ranges_.clear();
  failure_.reset();
  nodes_.renew();
  bytes_.renew();
  finder_.begin(reader);
  const auto outcome = read(reader);
  if (outcome) return *outcome;
  failure_ = outcome.error();
  return {false, {failure_->message}};
}

base::Result<Outcome> Content::read(Reader& reader) {
  const auto found = options_.descriptor
                         ? finder_.by_descriptor(reader, options_.pid, *options_.descriptor)
                         : finder_.by_path(reader, options_.pid, options_.path);
  if (!found) return fail(found.error());
  file_ = found->inode;
  if (file_.is_directory())
    return fail(Code::unsupported, "it is a directory", "vitrine dir lists it");
  if (!file_.is_file())
    return fail(Code::unsupported, "it is no file, but of type " +
                                       std::string(type_name(file_.mode)) +
                                       ", which has no content in the page cache");
  std::string type;
  if (!finder_.walk().inodes().file_system(reader, file_, type))
    return fail(Code::unreadable, "the file's file system can't be read");
  return read_pages(reader, keeps_files_in_memory(type));
}

base::Result<Outcome> Content::read_pages(Reader& reader, bool in_memory) {
  between_ = in_memory ? Presence::hole : Presence::missing;
  base::Result<void> added;
  const WalkEnd walked = finder_.walk().inodes().pages().walk(reader, file_.mapping, nodes_,
                                                              [&](const CachedPages& pages) {
                                                                if (added)
                                                                  added = add_pages(reader, pages);
                                                              });
  if (!added) return fail(added.error());
  // What could not be followed may have had pages of which nothing is known.
  const bool whole = walked == WalkEnd::whole;
  if (!whole && between_ == Presence::hole)
    for (ContentRange& range : ranges_)
      if (range.presence == Presence::hole) range.presence = Presence::damaged;
  const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(file_.size, 0));
  if (end() < size) add(end(), size - end(), !whole && in_memory ? Presence::damaged : between_);
  if (!whole)
    return Outcome{false,
                   {"not all of the file's pages could be followed in the page cache: it is "
                    "damaged, or changed while it was read"}};
  return Outcome{};
}

base::Result<void> Content::add_pages(Reader& reader, const CachedPages& pages) {
  const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(file_.size, 0));
  // Space that was reserved beyond the end of a file is none of its content.
  if (pages.first >= size / kPage + 1 || pages.first * kPage >= size) return {};
  if (ranges_.size() >= kMaxRanges)
    return fail(Code::inconsistent, "the file is in more pieces than a page cache can have");
  const std::uint64_t offset = pages.first * kPage;
  const std::uint64_t most = size - offset;
  const std::uint64_t bytes = pages.count > most / kPage ? most : pages.count * kPage;
  if (offset > end()) add(end(), offset - end(), between_);
  const Presence presence = presence_of(pages.state, between_);
  base::GuestPhysical at;
  if (presence != Presence::cached || !reader.translate(pages.at, at)) {
    add(offset, bytes, presence == Presence::cached ? Presence::unreadable : presence);
    return {};
  }
  if (!bytes_.spend(bytes))
    return fail(Code::inconsistent, "the page cache claims to hold more than the guest has memory");
  return copy(offset, at, bytes);
}

// In pieces; where one can't be read, page by page.
base::Result<void> Content::copy(std::uint64_t offset, base::GuestPhysical at,
                                 std::uint64_t bytes) {
  buffer_.resize(kPiece);
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t part = std::min(kPiece, bytes - done);
    const auto into = std::span(buffer_).first(part);
    base::Result<void> taken;
    if (memory_.read(at + done, into) == memory::ReadStatus::ok) {
      taken = options_.sink(offset + done, into);
      add(offset + done, part, Presence::cached);
    } else {
      for (std::uint64_t page = 0; taken && page < part; page += kPage)
        taken = copy_page(offset + done + page, at + (done + page), std::min(kPage, part - page));
    }
    if (!taken) return taken;
    done += part;
  }
  return {};
}

base::Result<void> Content::copy_page(std::uint64_t offset, base::GuestPhysical at,
                                      std::uint64_t bytes) {
  const auto into = std::span(buffer_).first(bytes);
  const bool readable = memory_.read(at, into) == memory::ReadStatus::ok;
  add(offset, bytes, readable ? Presence::cached : Presence::unreadable);
  return readable ? options_.sink(offset, into) : base::Result<void>();
}

void Content::add(std::uint64_t offset, std::uint64_t bytes, Presence presence) {
  if (!ranges_.empty() && ranges_.back().presence == presence)
    ranges_.back().bytes += bytes;
  else
    ranges_.push_back({offset, bytes, presence});
}

Row Content::row(std::size_t index) const {
  const ContentRange& range = ranges_[index];
  return {{range.offset, range.bytes, std::string(views::name(range.presence))}, {}};
}

}  // namespace vitrine::views
