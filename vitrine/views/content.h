// A file's content from the guest's page cache, named after cat: one row per range of the file, and
// the bytes of the cached ones to who asked for them.
//
// Read along the file's xarray of pages (page_cache.h), without the locks that guard it. What is
// not in the guest's memory is told, never made up: a range of zeros is one only where the file
// system keeps its files in memory alone.
//
// Thread contract: one thread at a time per object.
// Cost: that of finding the file, 64 loads for each 256 KiB of it, and the bytes themselves.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/views/file_finder.h"
#include "vitrine/views/reader.h"

namespace vitrine::views {

struct ContentOptions {
  // Takes bytes at an offset of the file, with ascending offsets; an error ends the collection.
  using Sink = std::function<base::Result<void>(std::uint64_t, std::span<const std::byte>)>;

  std::string path = {};                    // absolute; not used where there is a descriptor
  std::int64_t pid = 1;                     // from whose root directory the path leads
  std::optional<unsigned> descriptor = {};  // of that process
  Sink sink;
};

// What is known of a range of a file.
enum class Presence : std::uint8_t {
  cached,
  missing,     // not in the guest's memory
  swapped,     // the guest's swap has it
  hole,        // zeros: nothing was ever written there
  damaged,     // the page cache contradicts itself, or changed while it was read
  unreadable,  // the host could not read it
};
std::string_view name(Presence presence);

struct ContentRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  Presence presence = Presence::missing;
};

class Content final : public View {
 public:
  // `memory` outlives the view. Errors: as FileFinder::attach.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory,
                                                    ContentOptions options);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "content"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return ranges_.size(); }
  Row row(std::size_t index) const override;

  // The ranges of the last collection, which are the file from its beginning to its end.
  const std::vector<ContentRange>& ranges() const { return ranges_; }
  // The file that was read last.
  const Inode& file() const { return file_; }
  // Why the last collection read no file, or not to its end: errors as FileFinder::by_path and
  // by_descriptor, those of the sink; `unsupported` for what has no content in the page cache.
  const std::optional<base::Error>& failure() const { return failure_; }

 private:
  enum ColumnIndex : unsigned { kOffset, kSize, kState, kColumns };
  static const std::array<Column, kColumns> kColumnDeclarations;

  Content(FileFinder finder, memory::PhysicalMemory& memory, std::uint64_t ram,
          ContentOptions options)
      : finder_(std::move(finder)),
        memory_(memory),
        nodes_(ram / PageCache::kPage + 1024),
        bytes_(ram),
        options_(std::move(options)) {}

  base::Result<Outcome> read(Reader& reader);
  base::Result<Outcome> read_pages(Reader& reader, bool in_memory);
  base::Result<void> add_pages(Reader& reader, const CachedPages& pages);
  base::Result<void> copy(std::uint64_t offset, base::GuestPhysical at, std::uint64_t bytes);
  base::Result<void> copy_page(std::uint64_t offset, base::GuestPhysical at, std::uint64_t bytes);
  void add(std::uint64_t offset, std::uint64_t bytes, Presence presence);
  std::uint64_t end() const {
    return ranges_.empty() ? 0 : ranges_.back().offset + ranges_.back().bytes;
  }

  FileFinder finder_;
  memory::PhysicalMemory& memory_;
  Budget nodes_;  // each has at least a page
  Budget bytes_;  // no more is in memory than the guest has
  ContentOptions options_;
  Inode file_;
  std::vector<ContentRange> ranges_;
  std::vector<std::byte> buffer_;
  Presence between_ = Presence::missing;  // what there is where the page cache has nothing
  std::optional<base::Error> failure_;
};

}  // namespace vitrine::views
