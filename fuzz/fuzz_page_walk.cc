// Page tables in hostile memory, of four and of five levels. The walk finds what the manual's own
// description of it finds (Intel SDM vol. 3, 4.5), asks for one entry a level, and never for what
// is outside RAM; all ways of reading through it return the same bytes.
//
// Input: the format, root and addresses to translate, then entries to be written into the tables.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/memory/window_reader.h"
#include "vitrine/paging/virtual_reader.h"
#include "vitrine/paging/walked_memory.h"

namespace {

using namespace vitrine;
using base::GuestPhysical;
using base::GuestVirtual;
using fuzz::require;

constexpr std::uint64_t kPage = 4096;

// Three ranges with holes in between; a request beyond one range is refused.
class Ram final : public memory::PhysicalMemory {
 public:
  Ram() {
    for (const memory::Range& range : kRanges) {
      pages_.emplace_back(range.size);
      windows_.push_back({range, pages_.back().data()});
    }
  }

  using PhysicalMemory::read;
  void read(std::span<memory::ReadRequest> requests) override {
    for (memory::ReadRequest& request : requests) {
      ++reads;
      const std::byte* const from = at(request.address, request.into.size());
      request.status = from == nullptr ? memory::ReadStatus::outside_ram : memory::ReadStatus::ok;
      if (from != nullptr) std::memcpy(request.into.data(), from, request.into.size());
    }
  }
  std::span<const memory::Range> ram() const override { return kRanges; }
  std::vector<memory::Range> populated(memory::Range within) override { return {within}; }

  std::span<const memory::Window> windows() const { return windows_; }

  std::byte* at(GuestPhysical address, std::uint64_t size) {
    for (std::size_t i = 0; i < kRanges.size(); ++i)
      if (kRanges[i].contains(address, size))
        return pages_[i].data() + (address - kRanges[i].start);
    return nullptr;
  }

  // Some page of RAM, most of them next to each other.
  static std::uint64_t page(std::uint8_t number) {
    const std::uint64_t at = number % 16;
    if (at < 8) return at * kPage;
    return at < 12 ? 0x10'0000 + (at - 8) * kPage : (4ull << 30) + (at - 12) * kPage;
  }

  std::size_t reads = 0;

 private:
  static constexpr std::array<memory::Range, 3> kRanges{{{GuestPhysical(0), 8 * kPage},
                                                         {GuestPhysical(0x10'0000), 4 * kPage},
                                                         {GuestPhysical(4ull << 30), 4 * kPage}}};
  std::vector<std::vector<std::byte>> pages_;
  std::vector<memory::Window> windows_;
};

// The manual's walk, with Linux's meanings of entries that are not present.
struct Expected {
  paging::Fault fault = paging::Fault::none;
  std::uint64_t address = 0;
  std::uint64_t page_size = 0;
};

Expected expect(Ram& ram, bool five, std::uint64_t root, std::uint64_t address) {
  const int bits = five ? 57 : 48;
  const auto high = static_cast<std::int64_t>(address) >> (bits - 1);
  if (high != 0 && high != -1) return {paging::Fault::not_canonical};
  constexpr std::uint64_t kAddress = 0xf'ffff'ffff'f000;
  std::uint64_t table = root & kAddress;
  for (int shift = five ? 48 : 39;; shift -= 9) {
    const std::byte* const from = ram.at(GuestPhysical(table + (address >> shift) % 512 * 8), 8);
    if (from == nullptr) return {paging::Fault::outside_ram};
    std::uint64_t entry = 0;
    std::memcpy(&entry, from, sizeof entry);
    if (entry == 0) return {paging::Fault::not_mapped};
    const bool present = entry % 2 == 1;
    if (!present && (entry >> 8) % 2 == 0) return {paging::Fault::swapped_out};
    const std::uint64_t target = (present ? entry : ~entry) & kAddress;
    const std::uint64_t size = std::uint64_t{1} << shift;
    if (shift == 12 || (shift <= 30 && (entry >> 7) % 2 == 1))
      return {paging::Fault::none, target / size * size + address % size, size};
    table = target;
  }
}

std::optional<std::byte> expect_byte(Ram& ram, bool five, std::uint64_t root, std::uint64_t at) {
  const Expected found = expect(ram, five, root, at);
  if (found.fault != paging::Fault::none) return std::nullopt;
  const std::byte* const byte = ram.at(GuestPhysical(found.address), 1);
  return byte == nullptr ? std::nullopt : std::optional(*byte);
}

// Writes entries on the way to `address` or to the page behind it: most lead to some page of RAM,
// as a table or as a page.
void fill(Ram& ram, FuzzedDataProvider& input, std::uint64_t address) {
  while (input.remaining_bytes() >= 5) {
    const std::uint64_t table = Ram::page(input.ConsumeIntegral<std::uint8_t>());
    const auto place = input.ConsumeIntegral<std::uint8_t>();
    const auto target = input.ConsumeIntegral<std::uint8_t>();
    const std::uint64_t flags = input.ConsumeIntegral<std::uint16_t>() & 0xfff;
    std::uint64_t entry = Ram::page(target) | flags;
    if (target >= 0xc0) entry = ~entry ^ 0xfff;  // as Linux keeps pages that are not present
    if (target >= 0xf0) entry = input.ConsumeIntegral<std::uint64_t>();
    const int shift = 12 + place % 5 * 9;
    const std::uint64_t index = (address + (place < 128 ? 0 : kPage)) >> shift & 511;
    std::memcpy(ram.at(GuestPhysical(table + index * 8), 8), &entry, sizeof entry);
  }
}

void check_walk(Ram& ram, const paging::AddressSpace& space, bool five, GuestVirtual address) {
  const Expected expected = expect(ram, five, space.root.value, address.value);
  memory::Reader reader(ram);
  paging::Translation found;
  ram.reads = 0;
  const paging::Fault fault = paging::walk(*space.format, space.root, address, reader, found);
  require(fault == expected.fault && ram.reads <= space.format->levels.size());
  if (fault != paging::Fault::none) return;
  require(found.address.value == expected.address && found.page_size == expected.page_size);
}

void check_reads(Ram& ram, const paging::AddressSpace& space, bool five, GuestVirtual address,
                 std::size_t size) {
  std::vector<std::byte> expected;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = expect_byte(ram, five, space.root.value, address.value + i);
    if (!byte) break;
    expected.push_back(*byte);
  }
  const bool whole = expected.size() == size;
  std::vector<std::byte> bytes(size);
  paging::WalkedMemory walked(*space.format, space.root, ram);
  const bool read = walked.read(address, bytes).has_value();
  require(read == whole && (!whole || bytes == expected));

  memory::Reader gather(ram);
  paging::VirtualReader reader(space, gather);
  reader.begin();
  bytes.assign(size, {});
  require(reader.load_bytes(address, bytes) == whole && (!whole || bytes == expected));
  require(reader.load_bytes(space.root, address, bytes) == whole);

  memory::Reader windows(ram.windows());
  paging::VirtualReader in_place(space, windows);
  in_place.begin();
  std::uint64_t by_window = 0;
  std::uint64_t by_copy = 0;
  const bool loaded = in_place.load(address, by_window);
  require(reader.load(address, by_copy) == loaded && (!loaded || by_copy == by_window));
  if (size < sizeof by_window || !whole) return;
  require(loaded && std::memcmp(&by_window, expected.data(), sizeof by_window) == 0);
}

}  // namespace

VITRINE_FUZZER(page_walk) {
  FuzzedDataProvider input(data, size);
  Ram ram;
  paging::AddressSpace space;
  const bool five = input.ConsumeBool();
  space.format = five ? &paging::x86_64_five_level : &paging::x86_64_four_level;
  space.root =
      GuestPhysical(input.ConsumeBool() ? input.ConsumeIntegral<std::uint64_t>()
                                        : Ram::page(input.ConsumeIntegral<std::uint8_t>()));
  GuestVirtual address(input.ConsumeIntegral<std::uint64_t>());
  if (input.ConsumeBool()) {  // a canonical one
    const int unused = 64 - static_cast<int>(space.format->address_bits);
    address.value =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(address.value << unused) >> unused);
  }
  const auto length = input.ConsumeIntegralInRange<std::size_t>(1, 1024);
  const paging::LinearMap claim{address, input.ConsumeIntegral<std::uint32_t>(),
                                GuestPhysical(Ram::page(input.ConsumeIntegral<std::uint8_t>()))};
  fill(ram, input, address.value);

  check_walk(ram, space, five, address);
  check_walk(ram, space, five, address + kPage);
  check_reads(ram, space, five, address, length);
  ram.reads = 0;
  (void)paging::verify(space, claim, ram.ram(), ram);
  require(ram.reads <= 16 * 5 + 5);
  return 0;
}
