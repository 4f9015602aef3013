#include "vitrine/kernel/image_scan.h"

#include <algorithm>

namespace vitrine::kernel {
namespace {

using base::GuestVirtual;
using base::kPage;

constexpr std::uint64_t kChunk = 1U << 20;
// Between two parts of an image there is no more than what aligns the second one.
constexpr std::uint64_t kLongestHole = 16U << 20;

}  // namespace

void scan_image(memory::VirtualMemory& memory, GuestVirtual from, const OnPart& on_part) {
  std::vector<std::byte> bytes(kChunk);
  // Whether there is to be more.
  const auto offer = [&](GuestVirtual at, std::span<std::byte> into, bool& readable) {
    readable = memory.read(at, into).has_value();
    return !readable || on_part(at, into);
  };
  std::uint64_t hole = 0;
  for (std::uint64_t done = 0; done < max_image_bytes && hole < kLongestHole;) {
    const std::uint64_t chunk = kChunk - (from + done).value % kChunk;
    bool readable = false;
    if (!offer(from + done, std::span(bytes).first(chunk), readable)) return;
    if (readable) {
      hole = 0;
      done += chunk;
      continue;
    }
    for (const std::uint64_t end = done + chunk; done < end;) {
      const std::uint64_t page = kPage - (from + done).value % kPage;
      if (!offer(from + done, std::span(bytes).first(page), readable)) return;
      hole = readable ? 0 : hole + page;
      done += page;
    }
  }
}

void find_in_image(memory::VirtualMemory& memory, GuestVirtual from,
                   std::span<const std::byte> wanted, const OnHit& on_hit) {
  GuestVirtual start;  // of what is held
  std::vector<std::byte>
      held;  // the last part, and the end of the one before, where a hit may begin
  scan_image(memory, from, [&](GuestVirtual at, std::span<const std::byte> part) {
    if (at != start + held.size()) {
      held.clear();
      start = at;
    }
    held.insert(held.end(), part.begin(), part.end());
    for (std::size_t next = 0; next < held.size();) {
      const void* const hit =
          memmem(held.data() + next, held.size() - next, wanted.data(), wanted.size());
      if (hit == nullptr) break;
      const auto place = static_cast<std::size_t>(static_cast<const std::byte*>(hit) - held.data());
      if (!on_hit(start + place)) return false;
      next = place + 1;
    }
    const std::size_t kept = std::min(held.size(), wanted.size() - 1);
    start = start + (held.size() - kept);
    held.erase(held.begin(), held.end() - static_cast<std::ptrdiff_t>(kept));
    return true;
  });
}

Window read_around(memory::VirtualMemory& memory, GuestVirtual at, std::uint64_t before,
                   std::uint64_t after) {
  Window window{GuestVirtual((at.value - before) / kPage * kPage), {}};
  const GuestVirtual end = at + after;
  std::vector<std::byte> page(kPage);
  for (GuestVirtual next = window.start; next < end; next = next + kPage) {
    if (memory.read(next, page)) {
      window.bytes.insert(window.bytes.end(), page.begin(), page.end());
      continue;
    }
    if (next >= at) break;
    window = {next + kPage, {}};
  }
  return window;
}

}  // namespace vitrine::kernel
