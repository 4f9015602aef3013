#include "vitrine/techniques/ram_pages.h"

#include <array>
#include <utility>

namespace vitrine::techniques {
namespace {

using base::kPage;

using memory::MigrationStream;

// QEMU puts the path of a device on a bus before the name that the memory tree shows
// (softmmu/physmem.c, qemu_ram_set_idstr).
bool is_named_after(const std::string& in_stream, const std::string& in_layout) {
  return in_stream.size() > in_layout.size() && in_stream.ends_with(in_layout) &&
         in_stream[in_stream.size() - in_layout.size() - 1] == '/';
}

// The block that holds a region; one of its very name goes before one of a device.
base::Result<std::size_t> block_of(const vmm::RamRegion& region,
                                   std::span<const MigrationStream::Block> blocks) {
  std::vector<std::size_t> exact;
  std::vector<std::size_t> similar;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (region.block_offset > blocks[i].size || region.size > blocks[i].size - region.block_offset)
      continue;
    if (blocks[i].name == region.block) exact.push_back(i);
    if (is_named_after(blocks[i].name, region.block)) similar.push_back(i);
  }
  const auto& found = exact.empty() ? similar : exact;
  if (found.size() == 1) return found.front();
  return base::fail(base::Code::inconsistent,
                    "the migration stream has " + std::string(found.empty() ? "no" : "several") +
                        " blocks of RAM that may be " + region.block,
                    "use another technique, e.g. dump");
}

}  // namespace

base::Result<void> RamPages::blocks(std::span<const MigrationStream::Block> blocks) {
  parts_.assign(blocks.size(), {});
  for (std::size_t i = 0; i < layout_.regions.size(); ++i) {
    const vmm::RamRegion& region = layout_.regions[i];
    const auto block = block_of(region, blocks);
    if (!block) return base::fail(block.error());
    parts_[*block].push_back({region.block_offset, region.size, image_.offset(i)});
  }
  return {};
}

const RamPages::Part* RamPages::find(std::size_t block, std::uint64_t offset) const {
  for (const Part& part : parts_[block])
    if (offset >= part.start && offset - part.start < part.size) return &part;
  return nullptr;
}

base::Result<void> RamPages::put(std::size_t block, std::uint64_t offset,
                                 std::span<const std::byte> content) {
  const Part* part = find(block, offset);
  if (part == nullptr) return {};
  const std::uint64_t at = part->image + (offset - part->start);
  arrived_.push_back(at / kPage);
  return image_.writer().write(at, content);
}

base::Result<void> RamPages::page(std::size_t block, std::uint64_t offset,
                                  std::span<const std::byte, MigrationStream::kPage> content) {
  return put(block, offset, content);
}

base::Result<void> RamPages::zero_page(std::size_t block, std::uint64_t offset) {
  static constexpr std::array<std::byte, kPage> kZeros{};
  return put(block, offset, kZeros);
}

std::vector<std::uint64_t> RamPages::take_arrived() { return std::exchange(arrived_, {}); }

}  // namespace vitrine::techniques
