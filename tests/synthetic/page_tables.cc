#include "tests/synthetic/page_tables.h"

namespace vitrine::synthetic {
namespace {

int shift_of(int level) { return 12 + 9 * (level - 1); }
std::uint64_t index_of(GuestVirtual at, int level) { return at.value >> shift_of(level) & 511; }

}  // namespace

GuestPhysical PageTables::entry_at(GuestVirtual at, int level) {
  GuestPhysical table = root_;
  for (int upper = levels_; upper > level; --upper) {
    const GuestPhysical slot = table + 8 * index_of(at, upper);
    auto entry = memory_->get<std::uint64_t>(slot);
    if ((entry & entry_present) == 0) {
      entry = frames_->take().value | entry_present | entry_writable | entry_user | entry_accessed;
      memory_->put(slot, entry);
    } else if ((entry & entry_large) != 0) {
      throw std::logic_error("synthetic guest: a larger page is mapped at " + to_string(at));
    }
    table = GuestPhysical(entry & entry_address_mask);
  }
  return table + 8 * index_of(at, level);
}

void PageTables::set_entry(GuestVirtual at, int level, std::uint64_t entry) {
  memory_->put(entry_at(at, level), entry);
}

void PageTables::map(GuestVirtual at, GuestPhysical to, int level, std::uint64_t flags) {
  set_entry(at, level, to.value | flags | (level > 1 ? entry_large : 0));
}

void PageTables::map_range(GuestVirtual at, GuestPhysical to, std::uint64_t size, int largest_level,
                           std::uint64_t flags) {
  for (std::uint64_t done = 0; done < size;) {
    int level = largest_level;
    std::uint64_t page = 1ULL << shift_of(level);
    while (level > 1 && (((at.value + done) | (to.value + done)) % page != 0 || size - done < page))
      page = 1ULL << shift_of(--level);
    map(at + done, to + done, level, flags);
    done += page;
  }
}

void PageTables::swap_out(GuestVirtual at, std::uint64_t swap_type, std::uint64_t swap_offset) {
  set_entry(at, 1, swap_type << 59 | ~swap_offset << 14 >> 5);
}

void PageTables::map_protection_none(GuestVirtual at, GuestPhysical to) {
  set_entry(at, 1,
            (~to.value & entry_address_mask) | entry_protection_none | entry_user | entry_accessed |
                entry_dirty);
}

void PageTables::share_root(const PageTables& other, std::uint64_t first, std::uint64_t end) {
  for (std::uint64_t index = first; index < end; ++index)
    memory_->put(root_ + 8 * index, memory_->get<std::uint64_t>(other.root_ + 8 * index));
}

void PageTables::share_kernel_half(const PageTables& kernel) { share_root(kernel, 256, 512); }
void PageTables::share_user_half(const PageTables& process) { share_root(process, 0, 256); }

std::optional<GuestPhysical> naive_translate(const Memory& memory, GuestPhysical root, int levels,
                                             GuestVirtual at) {
  const int sign_bits = 64 - (12 + 9 * levels);
  const auto address = static_cast<std::int64_t>(at.value);
  if (static_cast<std::int64_t>(at.value << sign_bits) >> sign_bits != address) return std::nullopt;
  GuestPhysical table = root;
  for (int level = levels; level >= 1; --level) {
    const GuestPhysical slot = table + 8 * index_of(at, level);
    if (!memory.is_ram(slot, 8)) return std::nullopt;
    const auto entry = memory.get<std::uint64_t>(slot);
    if ((entry & entry_present) == 0) return std::nullopt;
    const bool leaf = level == 1 || (level <= 3 && (entry & entry_large) != 0);
    if (leaf) {
      const std::uint64_t inside = (1ULL << shift_of(level)) - 1;
      return GuestPhysical((entry & entry_address_mask & ~inside) | (at.value & inside));
    }
    table = GuestPhysical(entry & entry_address_mask);
  }
  return std::nullopt;
}

}  // namespace vitrine::synthetic
