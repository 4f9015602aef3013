// The reader that views are written over: guest-virtual loads through a physical reader. Addresses
// in the direct map and the kernel image are computed; all others are walked, and the translation
// is kept until the observation ends.
//
// Thread contract: one thread at a time. Effect on the guest: that of the physical reader.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "vitrine/memory/reader.h"
#include "vitrine/paging/address_space.h"
#include "vitrine/paging/range_walk.h"

namespace vitrine::paging {

class VirtualReader {
 public:
  // One structure of the kernel, looked up once and then loaded from by offset: what the hot path
  // of a view is made of. Lives on the stack of the function that reads it.
  class Object {
   public:
    // The structure at `at`, of which the first `size` bytes may be asked for.
    [[gnu::always_inline]] Object(VirtualReader& reader, base::GuestVirtual at, std::uint64_t size)
        : reader_(reader),
          at_(at),
          in_place_(reader.in_place(at, size)),
          recording_(reader.physical_.recording()) {}
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    [[gnu::always_inline]] ~Object() { reader_.physical_.charge(cost_); }

    // Fetches one value once. REQUIRES: offset + sizeof(T) <= size.
    template <memory::Loadable T>
    [[gnu::always_inline]] bool load(std::uint64_t offset, T& to) {
      return fetch<false>(offset, to);
    }

    // The same of a statistic, see VirtualReader::load_statistic.
    template <memory::Loadable T>
    [[gnu::always_inline]] bool load_statistic(std::uint64_t offset, T& to) {
      return fetch<true>(offset, to);
    }

   private:
    template <bool Statistic, memory::Loadable T>
    [[gnu::always_inline]] bool fetch(std::uint64_t offset, T& to) {
      if (in_place_ == nullptr) return fetch_apart<Statistic>(reader_, at_ + offset, to);
      ++cost_.reads;
      cost_.bytes += sizeof(T);
      if (!memory::load(in_place_ + offset, to)) [[unlikely]]
        return fetch_apart<Statistic>(reader_, at_ + offset, to);  // so that the failure is kept
      if (!Statistic && recording_ != nullptr) [[unlikely]]
        keep(*recording_, reader_.direct_address(at_ + offset), to);
      return true;
    }

    // Both are static: where the object's own address is known outside, it has to live in memory.
    template <bool Statistic, memory::Loadable T>
    static bool fetch_apart(VirtualReader& reader, base::GuestVirtual at, T& to) {
      return Statistic ? reader.load_statistic(at, to) : reader.load(at, to);
    }
    template <memory::Loadable T>
    [[gnu::noinline]] static void keep(memory::Recording& recording, base::GuestPhysical at,
                                       T value) {
      recording.add(at, value);
    }

    VirtualReader& reader_;
    base::GuestVirtual at_;
    const std::byte* in_place_;
    memory::Recording* recording_;
    memory::Cost cost_;  // kept apart until the end, so that it stays in registers
  };

  // Loads from several structures in one go, for what is read a hundred thousand times a second:
  // whether they are recorded is asked once, and what they cost and record stays in registers until
  // the burst ends. Lives on the stack of the function that reads; until it ends nothing that is
  // recorded may be loaded otherwise.
  template <bool Recorded>
  class Burst {
   public:
    // One structure of the kernel, looked up once.
    struct Object {
      base::GuestVirtual at;
      const std::byte* in_place = nullptr;
      base::GuestPhysical physical = {};  // where it is in place
    };

    // REQUIRES: `Recorded` says whether the reader records.
    [[gnu::always_inline]] explicit Burst(VirtualReader& reader) : reader_(reader) { resume(); }
    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;
    [[gnu::always_inline]] ~Burst() { settle(); }

    // The structure at `at`, of which the first `size` bytes may be asked for.
    [[gnu::always_inline]] Object object(base::GuestVirtual at, std::uint64_t size) {
      return {at, reader_.in_place(at, size), reader_.direct_address(at)};
    }

    // Fetches one value once. REQUIRES: it lies within the size that was named.
    template <bool Statistic = false, memory::Loadable T>
    [[gnu::always_inline]] bool load(const Object& from, std::uint64_t offset, T& to) {
      if (from.in_place == nullptr || !memory::load(from.in_place + offset, to)) [[unlikely]]
        return load_apart<Statistic>(from.at + offset, to);
      ++cost_.reads;
      cost_.bytes += sizeof(T);
      if constexpr (Recorded && !Statistic) {
        if (written_ == room_.size()) [[unlikely]] {
          settle();
          resume();
        }
        room_[written_++] = memory::Recording::packed(from.physical + offset, to);
      }
      return true;
    }

    // The same of a statistic, see VirtualReader::load_statistic.
    template <memory::Loadable T>
    [[gnu::always_inline]] bool load_statistic(const Object& from, std::uint64_t offset, T& to) {
      return load<true>(from, offset, to);
    }

   private:
    // What can't be loaded in place, the failure of it included, is the reader's to charge and
    // keep.
    template <bool Statistic, memory::Loadable T>
    [[gnu::always_inline]] bool load_apart(base::GuestVirtual at, T& to) {
      if constexpr (Recorded) settle();
      T value{};
      const bool loaded = fetch<Statistic>(reader_, at, value);
      if (loaded) [[likely]]
        to = value;
      if constexpr (Recorded) resume();
      return loaded;
    }
    template <bool Statistic, memory::Loadable T>
    [[gnu::noinline]] static bool fetch(VirtualReader& reader, base::GuestVirtual at, T& to) {
      return Statistic ? reader.load_statistic(at, to) : reader.load(at, to);
    }
    [[gnu::always_inline]] void settle() {
      reader_.physical_.charge(cost_);
      cost_ = {};
      if constexpr (Recorded) reader_.physical_.recording()->settle(written_);
    }
    [[gnu::always_inline]] void resume() {
      written_ = 0;
      if constexpr (Recorded) room_ = reader_.physical_.recording()->room();
    }

    VirtualReader& reader_;
    memory::Cost cost_;
    std::span<memory::Recording::Value> room_;
    std::size_t written_ = 0;
  };

  bool records() const { return physical_.recording() != nullptr; }

  // `physical` outlives the reader.
  VirtualReader(const AddressSpace& space, memory::Reader& physical)
      : space_(space), physical_(physical) {}

  void begin() {
    physical_.begin();
    translations_.fill({});
  }

  // Fetches one value of the kernel's memory, once; false if it can't be read, see fault().
  template <memory::Loadable T>
  [[gnu::always_inline]] bool load(base::GuestVirtual at, T& to) {
    return fetch(
        at, to,
        [](memory::Reader & from, base::GuestPhysical where, T & into)
            __attribute__((always_inline)) { return from.load(where, into); });
  }

  // The same of a value of which the `ignored` bits do not count where collections are compared.
  template <memory::Loadable T>
  bool load_ignoring(base::GuestVirtual at, T& to, std::uint64_t ignored) {
    return fetch(at, to, [ignored](memory::Reader& from, base::GuestPhysical where, T& into) {
      return from.load_ignoring(where, into, ignored);
    });
  }

  // The same of a statistic: a counter that changes all the time without what was read meaning
  // something else, for a column that is declared as one. Collections that differ in it alone are
  // the same, so it must decide nothing that is read besides.
  template <memory::Loadable T>
  bool load_statistic(base::GuestVirtual at, T& to) {
    return load_ignoring(at, to, memory::kAllBits);
  }

  // Copies kernel memory; may cross pages.
  bool load_bytes(base::GuestVirtual at, std::span<std::byte> to) {
    return load_bytes(space_.root, at, to);
  }

  // Copies memory of the process whose page-table root is given.
  bool load_bytes(base::GuestPhysical root, base::GuestVirtual at, std::span<std::byte> to);

  // Goes through the pages of a process: see range_walk.h.
  template <class Visit>
  bool walk_pages(base::GuestPhysical root, base::GuestVirtual start, base::GuestVirtual end,
                  std::uint64_t& tables, Visit&& visit) {
    return walk_range(*space_.format, root, start, end, physical_, tables,
                      std::forward<Visit>(visit));
  }

  // Says that an object of the direct map will be read, so that it comes in one piece.
  void expect(base::GuestVirtual at, std::uint64_t size) {
    const std::uint64_t offset = at - space_.direct.start;
    if (offset < space_.direct.size) physical_.expect(space_.direct.physical + offset, size);
  }

  // Has what lies there copied anew when it is asked for next: for looking again at what has moved
  // since it was gathered. What was read of it before counts all the same.
  void forget(base::GuestVirtual at, std::uint64_t size);

  [[gnu::always_inline]] bool translate(base::GuestVirtual at, base::GuestPhysical& to) {
    const std::uint64_t offset = at - space_.direct.start;
    if (offset < space_.direct.size) [[likely]] {
      to = space_.direct.physical + offset;
      return true;
    }
    const std::uint64_t in_image = at - space_.image.start;
    if (in_image < space_.image.size) {
      to = space_.image.physical + in_image;
      return true;
    }
    return walk_kept(at, to);
  }

  const AddressSpace& space() const { return space_; }
  // Why the last load failed, and where.
  Fault fault() const { return fault_; }
  base::GuestVirtual fault_address() const { return fault_address_; }
  memory::Cost cost() const { return physical_.cost(); }

 private:
  template <memory::Loadable T, class Load>
  [[gnu::always_inline]] bool fetch(base::GuestVirtual at, T& to, const Load& load) {
    // A forged pointer may lead across the end of a page, behind which is another one.
    if (at - space_.direct.start >= space_.direct.size && at.value % kPage > kPage - sizeof(T))
        [[unlikely]]
      return load_across(at, to);
    base::GuestPhysical physical;
    if (!translate(at, physical)) [[unlikely]]
      return false;
    if (load(physical_, physical, to)) [[likely]]
      return true;
    return failed(fault_of(physical_.status()), at);
  }

  // The copy keeps `to` itself in a register where nothing leads across a page, as hardly ever.
  template <memory::Loadable T>
  [[gnu::always_inline]] bool load_across(base::GuestVirtual at, T& to) {
    T value{};
    if (!load_bytes(at, std::as_writable_bytes(std::span(&value, 1)))) return false;
    to = value;
    return true;
  }

  static constexpr std::uint64_t kPage = 4096;

  // Only the direct map keeps neighbours together in guest-physical memory.
  [[gnu::always_inline]] const std::byte* in_place(base::GuestVirtual at, std::uint64_t size) {
    const std::uint64_t offset = at - space_.direct.start;
    return offset < space_.direct.size ? physical_.in_place(space_.direct.physical + offset, size)
                                       : nullptr;
  }

  // REQUIRES: `at` is in the direct map.
  [[gnu::always_inline]] base::GuestPhysical direct_address(base::GuestVirtual at) const {
    return space_.direct.physical + (at - space_.direct.start);
  }

  struct Kept {
    std::uint64_t page = ~std::uint64_t{0};
    std::uint64_t physical_page = 0;
  };

  [[gnu::cold]] bool failed(Fault fault, base::GuestVirtual at) {
    fault_ = fault;
    fault_address_ = at;
    return false;
  }

  bool walk_from(base::GuestPhysical root, base::GuestVirtual at, base::GuestPhysical& to);
  bool walk_kept(base::GuestVirtual at, base::GuestPhysical& to);

  AddressSpace space_;
  memory::Reader& physical_;
  std::array<Kept, 64> translations_{};
  Fault fault_ = Fault::none;
  base::GuestVirtual fault_address_;
};

}  // namespace vitrine::paging
