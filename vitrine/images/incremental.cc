#include "vitrine/images/incremental.h"

#include <algorithm>
#include <cstring>

#include "vitrine/images/bytes.h"
#include "vitrine/images/omission.h"

namespace vitrine::images {
namespace {

// The content: version, bytes of a page, digest, number of pages, bits.
constexpr std::uint32_t kNoteVersion = 1;
constexpr std::size_t kPageBytesAt = 4;
constexpr std::size_t kDigestAt = 8;
constexpr std::size_t kDigestDigits = 64;
constexpr std::size_t kPagesAt = kDigestAt + kDigestDigits;
constexpr std::size_t kBitsAt = kPagesAt + 8;

template <class T>
T get(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, &bytes[offset], sizeof value);
  return value;
}

}  // namespace

base::Result<PageBits> PageBits::parse(std::uint64_t pages, std::span<const std::byte> bits) {
  if (pages / 8 > bits.size() || bits.size() != (pages + 7) / 8)
    return base::fail(base::Code::inconsistent,
                      "the incremental image does not tell which pages it holds");
  PageBits parsed(0);
  parsed.pages_ = pages;
  parsed.bits_.assign(bits.begin(), bits.end());
  return parsed;
}

std::vector<std::byte> incremental_note(const Incremental& incremental) {
  Bytes bytes(kBitsAt);
  bytes.put(0, kNoteVersion);
  bytes.put(kPageBytesAt, static_cast<std::uint32_t>(kPageBytes));
  bytes.put(kDigestAt, incremental.predecessor);
  bytes.put(kPagesAt, incremental.held.pages());
  bytes.append(incremental.held.bytes());
  return {bytes.span().begin(), bytes.span().end()};
}

base::Result<Incremental> parse_incremental_note(std::span<const std::byte> content) {
  if (content.size() < kBitsAt || get<std::uint32_t>(content, 0) != kNoteVersion ||
      get<std::uint32_t>(content, kPageBytesAt) != kPageBytes)
    return base::fail(base::Code::inconsistent,
                      "the incremental image does not tell what it builds on");
  auto held = PageBits::parse(get<std::uint64_t>(content, kPagesAt), content.subspan(kBitsAt));
  if (!held) return base::fail(held.error());
  const auto digest = content.subspan(kDigestAt, kDigestDigits);
  Incremental incremental{"", std::move(*held)};
  std::ranges::transform(digest, std::back_inserter(incremental.predecessor),
                         [](std::byte byte) { return static_cast<char>(byte); });
  if (incremental.predecessor.find_first_not_of("0123456789abcdef") != std::string::npos)
    return base::fail(base::Code::inconsistent,
                      "the incremental image does not tell what it builds on");
  return incremental;
}

}  // namespace vitrine::images
