#include "vitrine/images/kdump_image.h"

#include <sys/time.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "vitrine/images/sha256.h"
#include "vitrine/images/utsname.h"

namespace vitrine::images {
namespace {

using base::Code;
using base::fail;

constexpr std::uint64_t kBlock = kPageBytes;
constexpr std::size_t kBuffer = 1 << 20;
constexpr std::int32_t kHeaderVersion = 6;
constexpr std::uint32_t kZlib = 1;  // DUMP_DH_COMPRESSED_ZLIB

// struct disk_dump_header and struct kdump_sub_header of x86-64: where their parts are.
namespace head {
constexpr std::size_t version = 8, utsname = 12, timestamp = 408, status = 424, block_size = 428,
                      sub_header_blocks = 432, bitmap_blocks = 436, max_frame = 440,
                      written_blocks = 452, processors = 460;
}
namespace sub {
constexpr std::size_t physical_base = 0, dump_level = 8, end_frame = 24, vmcoreinfo_offset = 32,
                      vmcoreinfo_size = 40, notes_offset = 48, notes_size = 56, end_frame_64 = 88,
                      max_frame_64 = 96, bytes = 104;
}

std::uint64_t blocks(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock; }

void set_bit(std::span<std::byte> bitmap, std::uint64_t bit) {
  bitmap[bit / 8] |= std::byte{1} << (bit % 8);
}

// makedumpfile's -d: which kinds of pages are not in the file. Zero pages are, in one copy.
std::int32_t dump_level(const Omissions& omissions) {
  constexpr std::int32_t kCache = 2, kCacheWithPrivate = 4, kFree = 16;
  return (omissions.cache ? kCache | kCacheWithPrivate : 0) | (omissions.free ? kFree : 0);
}

std::uint32_t saturated(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

// One zlib stream, reset for each page: setting one up costs more than compressing a page.
struct KdumpImage::Compressor {
  z_stream stream{};
  std::array<std::byte, kPageBytes> output{};
  // The fastest level: memory compresses well at any, and the guest may wait meanwhile.
  bool ok = deflateInit(&stream, Z_BEST_SPEED) == Z_OK;

  Compressor() = default;
  ~Compressor() { deflateEnd(&stream); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // The page compressed; empty where it would not become smaller.
  std::span<const std::byte> compress(std::span<const std::byte> page) {
    if (!ok || deflateReset(&stream) != Z_OK) return {};
    // zlib never writes to its input; its interface is older than const.
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(page.data()));
    stream.avail_in = static_cast<uInt>(page.size());
    stream.next_out = reinterpret_cast<Bytef*>(output.data());
    stream.avail_out = static_cast<uInt>(output.size() - 1);
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return {};
    return std::span(output).first(output.size() - 1 - stream.avail_out);
  }
};

KdumpImage::KdumpImage(const GuestDescription& guest, OutputFile& file)
    : guest_(guest),
      file_(file),
      compressor_(std::make_unique<Compressor>()),
      notes_(make_notes(guest.processors, guest.vmcoreinfo)),
      frames_(guest.ram.back().end().value / kPageBytes),
      sub_header_blocks_(blocks(sub::bytes + notes_.bytes.size())),
      bitmap_blocks_(blocks((frames_ + 7) / 8)),
      bitmaps_((1 + sub_header_blocks_) * kBlock),
      dumped_(bitmap_blocks_ * kBlock) {
  std::uint64_t pages = 0;
  for (const memory::Range& range : guest.ram) pages += range.size / kPageBytes;
  descriptors_.end = bitmaps_ + 2 * bitmap_blocks_ * kBlock;
  pages_.end = descriptors_.end + blocks(pages * sizeof(Descriptor)) * kBlock;
}

KdumpImage::~KdumpImage() = default;

base::Result<void> KdumpImage::append(Stream& stream, std::span<const std::byte> bytes) {
  stream.buffer.insert(stream.buffer.end(), bytes.begin(), bytes.end());
  stream.end += bytes.size();
  return stream.buffer.size() < kBuffer ? base::Result<void>{} : flush(stream);
}

base::Result<void> KdumpImage::flush(Stream& stream) {
  auto written = file_.write(stream.end - stream.buffer.size(), stream.buffer);
  stream.buffer.clear();
  return written;
}

base::Result<KdumpImage::Descriptor> KdumpImage::store_page(std::span<const std::byte> page) {
  std::span<const std::byte> bytes = compressor_->compress(page);
  const std::uint32_t flags = bytes.empty() ? 0 : kZlib;
  if (bytes.empty()) bytes = page;
  const Descriptor descriptor{static_cast<std::int64_t>(pages_.end),
                              static_cast<std::uint32_t>(bytes.size()), flags, 0};
  if (auto appended = append(pages_, bytes); !appended) return fail(appended.error());
  return descriptor;
}

base::Result<void> KdumpImage::describe(std::uint64_t frame, const Descriptor& descriptor) {
  set_bit(dumped_, frame);
  ++stored_;
  return append(descriptors_, std::as_bytes(std::span(&descriptor, 1)));
}

base::Result<void> KdumpImage::begin() {
  static constexpr std::array<std::byte, kPageBytes> kZeros{};
  auto zero = store_page(kZeros);
  if (!zero) return fail(zero.error());
  zero_ = *zero;
  return {};
}

base::Result<void> KdumpImage::store(base::GuestPhysical at, std::span<const std::byte> bytes) {
  for (std::uint64_t frame = at.value / kPageBytes; !bytes.empty(); ++frame) {
    auto descriptor = store_page(bytes.first(kPageBytes));
    if (!descriptor) return fail(descriptor.error());
    if (auto described = describe(frame, *descriptor); !described) return described;
    bytes = bytes.subspan(kPageBytes);
  }
  return {};
}

base::Result<void> KdumpImage::store_zeros(memory::Range range) {
  for (std::uint64_t page = 0; page < range.size / kPageBytes; ++page)
    if (auto described = describe(range.start.value / kPageBytes + page, zero_); !described)
      return described;
  return {};
}

Bytes KdumpImage::header() const {
  Bytes bytes(kBlock);
  bytes.put(0, "KDUMP   ");
  bytes.put(head::version, kHeaderVersion);
  bytes.put(head::utsname,
            std::span(guest_.utsname).first(std::min(guest_.utsname.size(), kUtsnameBytes)));
  timeval now{};
  gettimeofday(&now, nullptr);
  bytes.put(head::timestamp, std::int64_t{now.tv_sec});
  bytes.put(head::timestamp + 8, std::int64_t{now.tv_usec});
  bytes.put(head::status, kZlib);
  bytes.put(head::block_size, static_cast<std::int32_t>(kBlock));
  bytes.put(head::sub_header_blocks, static_cast<std::int32_t>(sub_header_blocks_));
  bytes.put(head::bitmap_blocks, saturated(2 * bitmap_blocks_));
  bytes.put(head::max_frame, saturated(frames_));
  bytes.put(head::written_blocks, saturated(stored_));
  bytes.put(head::processors,
            static_cast<std::int32_t>(std::max<std::size_t>(guest_.processors.size(), 1)));
  return bytes;
}

Bytes KdumpImage::sub_header() const {
  Bytes bytes(sub::bytes);
  const std::uint64_t notes = kBlock + sub::bytes;
  bytes.put(sub::physical_base, guest_.physical_base);
  bytes.put(sub::dump_level, dump_level(guest_.omissions));
  bytes.put(sub::end_frame, frames_);
  if (notes_.vmcoreinfo_size != 0) {
    bytes.put(sub::vmcoreinfo_offset, std::uint64_t{notes + notes_.vmcoreinfo_offset});
    bytes.put(sub::vmcoreinfo_size, std::uint64_t{notes_.vmcoreinfo_size});
  }
  bytes.put(sub::notes_offset, notes);
  bytes.put(sub::notes_size, std::uint64_t{notes_.bytes.size()});
  bytes.put(sub::end_frame_64, frames_);
  bytes.put(sub::max_frame_64, frames_);
  bytes.append(notes_.bytes.span());
  return bytes;
}

std::vector<std::byte> KdumpImage::existing_bitmap() const {
  std::vector<std::byte> bitmap(dumped_.size());
  for (const memory::Range& range : guest_.ram)
    for (std::uint64_t page = 0; page < range.size / kPageBytes; ++page)
      set_bit(bitmap, range.start.value / kPageBytes + page);
  return bitmap;
}

// The headers stand first and are known last, so the hash takes a second pass over the file, which
// is still in the host's page cache.
base::Result<std::string> KdumpImage::finish() {
  for (Stream* stream : {&descriptors_, &pages_})
    if (auto flushed = flush(*stream); !flushed) return fail(flushed.error());
  const std::vector<std::byte> existing = existing_bitmap();
  const Bytes first = header();
  const Bytes second = sub_header();
  const std::array<std::pair<std::uint64_t, std::span<const std::byte>>, 4> parts{
      {{0, first.span()},
       {kBlock, second.span()},
       {bitmaps_, existing},
       {bitmaps_ + existing.size(), dumped_}}};
  for (const auto& [offset, bytes] : parts)
    if (auto written = file_.write(offset, bytes); !written) return fail(written.error());
  Sha256 hash;
  std::vector<std::byte> buffer(kBuffer);
  for (std::uint64_t at = 0; at < pages_.end; at += kBuffer) {
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(kBuffer, pages_.end - at));
    if (auto read = file_.read(at, part); !read) return fail(read.error());
    hash.update(part);
  }
  return hash.finish();
}

}  // namespace vitrine::images
