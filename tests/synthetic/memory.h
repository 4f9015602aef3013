// Guest-physical memory of a synthetic guest: several RAM ranges, sparse, with pages that are
// holes, reads that fail, a record of what was read, and a hook that lets a test change memory
// between every two requests.
//
// A builder's or test's own mistake (a write outside RAM) throws std::out_of_range.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstring>
#include <functional>
#include <set>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/base/file_descriptor.h"
#include "vitrine/memory/physical_memory.h"

namespace vitrine::synthetic {

using base::GuestPhysical;
using base::GuestVirtual;
using memory::Range;

constexpr std::uint64_t kilobyte = 1024;
constexpr std::uint64_t megabyte = 1024 * kilobyte;
constexpr std::uint64_t gigabyte = 1024 * megabyte;
constexpr std::uint64_t page_size = 4 * kilobyte;

// One request as the memory answered it.
struct Access {
  GuestPhysical address;
  std::uint64_t size = 0;
  memory::ReadStatus status = memory::ReadStatus::failed;
};

// What was asked of a memory since it was made or reset.
struct Statistics {
  std::uint64_t calls = 0;     // of read()
  std::uint64_t requests = 0;  // in all calls
  std::uint64_t bytes = 0;     // delivered
  std::uint64_t outside = 0;   // requests that left the RAM
  std::uint64_t holes = 0;     // requests that met a page that is not populated
};

class Memory : public memory::PhysicalMemory {
 public:
  // RAM of these ranges, sorted, disjoint and page-aligned, every page a hole. Any size: storage
  // is taken only for what is written.
  explicit Memory(std::vector<Range> ram);
  ~Memory() override;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  using PhysicalMemory::read;
  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const Range> ram() const override { return ram_; }
  std::vector<Range> populated(Range within) override;

  // The builder's side: never counted, never failing, no hook.
  void write(GuestPhysical at, std::span<const std::byte> bytes);  // populates the pages
  void write(GuestPhysical at, std::string_view text);
  void populate(Range range);                                    // as zeroes where it was a hole
  void peek(GuestPhysical at, std::span<std::byte> into) const;  // a hole reads as zeroes
  template <class T>
  void put(GuestPhysical at, T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    write(at, std::as_bytes(std::span(&value, 1)));
  }
  template <class T>
  T get(GuestPhysical at) const {
    T value{};
    peek(at, std::as_writable_bytes(std::span(&value, 1)));
    return value;
  }
  bool is_ram(GuestPhysical at, std::uint64_t size) const;
  bool is_populated(GuestPhysical at) const { return pages_.contains(at.value / page_size); }

  // Makes the whole pages of `range` holes; what they held is lost.
  void punch_hole(Range range);
  // From now on reading any byte of the whole pages of `range` fails, though they are populated.
  void fail_reads(Range range);
  void stop_failing();

  // Called before each request is answered; may write, punch holes and make reads fail.
  void before_each_request(std::function<void(const memory::ReadRequest&)> hook) {
    hook_ = std::move(hook);
  }

  const Statistics& statistics() const { return statistics_; }
  void record_accesses(bool record) { recording_ = record; }
  std::span<const Access> accesses() const { return accesses_; }
  void reset_statistics();
  // Pages of RAM that the host has really allocated, from the host's own count: grows if anything
  // reads a hole in place.
  std::uint64_t allocated_pages() const;

 protected:
  // Where a RAM range begins in the backing file.
  std::uint64_t file_offset(GuestPhysical at) const;
  int backing_file() const { return file_.get(); }
  bool fails(std::uint64_t frame) const { return failing_.contains(frame); }
  // The frames [first, first + count) changed: populated, a hole, or failing.
  virtual void frames_changed(std::uint64_t first, std::uint64_t count);

 private:
  std::byte* storage(GuestPhysical at, std::uint64_t size) const;  // throws outside RAM
  memory::ReadStatus status_of(GuestPhysical at, std::uint64_t size) const;

  std::vector<Range> ram_;
  base::FileDescriptor file_;
  std::byte* bytes_ = nullptr;
  std::uint64_t file_size_ = 0;
  std::set<std::uint64_t> pages_;  // frame numbers of populated pages
  std::set<std::uint64_t> failing_;
  std::function<void(const memory::ReadRequest&)> hook_;
  Statistics statistics_;
  bool recording_ = false;
  std::vector<Access> accesses_;
};

}  // namespace vitrine::synthetic
