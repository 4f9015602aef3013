// QEMU's migration stream as a damaged or forged one may be. The first byte says in what pieces the
// rest is fed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/fuzzer.h"
#include "vitrine/memory/migration_stream.h"

namespace {

using vitrine::base::Result;
using vitrine::memory::MigrationStream;

// Demands what the parser promises.
class Receiver final : public MigrationStream::Receiver {
 public:
  Result<void> blocks(std::span<const MigrationStream::Block> blocks) override {
    if (!blocks_.empty() || blocks.empty()) std::abort();
    blocks_.assign(blocks.begin(), blocks.end());
    return {};
  }
  Result<void> page(std::size_t block, std::uint64_t offset,
                    std::span<const std::byte, MigrationStream::kPage> content) override {
    sum_ = sum_ + std::to_integer<unsigned>(content[0]) + std::to_integer<unsigned>(content.back());
    return zero_page(block, offset);
  }
  Result<void> zero_page(std::size_t block, std::uint64_t offset) override {
    if (block >= blocks_.size()) std::abort();
    const std::uint64_t size = blocks_[block].size;
    if (offset % MigrationStream::kPage != 0 || offset > size - MigrationStream::kPage)
      std::abort();
    return {};
  }

 private:
  std::vector<MigrationStream::Block> blocks_;
  volatile unsigned sum_ = 0;
};

}  // namespace

VITRINE_FUZZER(migration_stream) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] + std::size_t{1};
  auto rest = std::as_bytes(std::span(data + 1, size - 1));
  Receiver receiver;
  MigrationStream stream(receiver);
  while (!rest.empty()) {
    const auto next = rest.first(std::min(piece, rest.size()));
    if (!stream.feed(next)) {
      if (stream.feed(next)) std::abort();
      return 0;
    }
    rest = rest.subspan(next.size());
  }
  return 0;
}
