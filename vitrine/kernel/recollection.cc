#include "vitrine/kernel/recollection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <span>

#include "vitrine/paging/walked_memory.h"

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using base::kPage;

// FNV-1a over words: no protection against somebody who may write to the user's own files.
std::optional<std::uint64_t> hash_page(memory::VirtualMemory& memory, GuestVirtual at) {
  std::array<std::uint64_t, kPage / 8> words{};
  if (!memory.read(at, std::as_writable_bytes(std::span(words)))) return std::nullopt;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint64_t word : words) hash = (hash ^ word) * 0x100000001b3;
  return hash;
}

GuestVirtual page_of(GuestVirtual at) { return GuestVirtual(at.value / kPage * kPage); }

struct Extent {
  GuestVirtual start;
  std::uint64_t pages = 0;
};

// Where the names of the symbols and the BTF are, as far as they fill whole pages.
std::vector<Extent> table_extents(const Kernel& kernel) {
  std::vector<Extent> extents;
  const auto names = kernel.symbols.names();
  // Names are at least three bytes each.
  if (names) extents.push_back({*names, std::uint64_t{kernel.symbols.count()} * 3 / kPage});
  const auto begin = kernel.symbols.find("__start_BTF");
  const auto end = kernel.symbols.find("__stop_BTF");
  if (begin && end && *end > *begin) extents.push_back({*begin, (*end - *begin) / kPage});
  return extents;
}

}  // namespace

std::optional<Recollection> recollect(const Kernel& kernel, memory::PhysicalMemory& memory) {
  const auto text = kernel.vmcoreinfo.symbol("_stext");
  if (!kernel.build_id || !text) return std::nullopt;
  paging::WalkedMemory walked(*kernel.space.format, kernel.space.root, memory);
  const std::vector<Extent> extents = table_extents(kernel);
  if (extents.size() != 2) return std::nullopt;
  Recollection kept{kernel.release, *kernel.build_id, {}, kernel.answers->all()};
  std::random_device random;
  for (const Extent& extent : extents)
    for (std::size_t i = 0; i < Recollection::kSamples / 2; ++i) {
      const GuestVirtual at =
          page_of(extent.start) + random() % std::max<std::uint64_t>(extent.pages, 1) * kPage;
      const auto hash = hash_page(walked, at);
      if (!hash) return std::nullopt;
      kept.samples.push_back({at.value - page_of(*text).value, *hash});
    }
  return kept;
}

bool confirms(const Recollection& recollection, memory::VirtualMemory& memory, GuestVirtual text) {
  if (recollection.samples.size() != Recollection::kSamples) return false;
  return std::ranges::all_of(recollection.samples, [&](const Recollection::Sample& sample) {
    return hash_page(memory, GuestVirtual(page_of(text).value + sample.offset)) == sample.hash;
  });
}

}  // namespace vitrine::kernel
