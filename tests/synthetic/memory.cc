#include "tests/synthetic/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace vitrine::synthetic {
namespace {

[[noreturn]] void throw_errno(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

}  // namespace

Memory::Memory(std::vector<Range> ram) : ram_(std::move(ram)) {
  for (const Range& range : ram_) file_size_ += range.size;
  file_ = base::FileDescriptor(memfd_create("synthetic-guest", MFD_CLOEXEC));
  if (!file_.valid() || ftruncate(file_.get(), static_cast<off_t>(file_size_)) != 0)
    throw_errno("memfd_create");
  void* mapped =
      mmap(nullptr, file_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file_.get(), 0);
  if (mapped == MAP_FAILED) throw_errno("mmap");
  bytes_ = static_cast<std::byte*>(mapped);
}

Memory::~Memory() { munmap(bytes_, file_size_); }

bool Memory::is_ram(GuestPhysical at, std::uint64_t size) const {
  for (const Range& range : ram_)
    if (range.contains(at, size)) return true;
  return false;
}

std::uint64_t Memory::file_offset(GuestPhysical at) const {
  std::uint64_t before = 0;
  for (const Range& range : ram_) {
    if (range.contains(at, 1)) return before + (at - range.start);
    before += range.size;
  }
  throw std::out_of_range("synthetic guest: no RAM at " + to_string(at));
}

std::byte* Memory::storage(GuestPhysical at, std::uint64_t size) const {
  if (!is_ram(at, size))
    throw std::out_of_range("synthetic guest: not all RAM: " + std::to_string(size) + " bytes at " +
                            to_string(at));
  return bytes_ + file_offset(at);
}

memory::ReadStatus Memory::status_of(GuestPhysical at, std::uint64_t size) const {
  if (size == 0 || !is_ram(at, size)) return memory::ReadStatus::outside_ram;
  for (std::uint64_t frame = at.value / page_size; frame <= (at.value + size - 1) / page_size;
       ++frame) {
    if (!pages_.contains(frame)) return memory::ReadStatus::not_populated;
    if (fails(frame)) return memory::ReadStatus::failed;
  }
  return memory::ReadStatus::ok;
}

void Memory::read(std::span<memory::ReadRequest> requests) {
  ++statistics_.calls;
  for (memory::ReadRequest& request : requests) {
    if (hook_) hook_(request);
    const std::uint64_t size = request.into.size();
    request.status = status_of(request.address, size);
    ++statistics_.requests;
    if (request.status == memory::ReadStatus::outside_ram) ++statistics_.outside;
    if (request.status == memory::ReadStatus::not_populated) ++statistics_.holes;
    if (recording_) accesses_.push_back({request.address, size, request.status});
    if (request.status != memory::ReadStatus::ok) continue;
    std::memcpy(request.into.data(), storage(request.address, size), size);
    statistics_.bytes += size;
  }
}

std::vector<Range> Memory::populated(Range within) {
  std::vector<Range> runs;
  const std::uint64_t end = within.end().value / page_size;
  for (auto page = pages_.lower_bound((within.start.value + page_size - 1) / page_size);
       page != pages_.end() && *page < end; ++page) {
    const GuestPhysical at(*page * page_size);
    // Ranges that touch stay apart, since no request may cross their border.
    const bool joins = !runs.empty() && runs.back().end() == at &&
                       is_ram(runs.back().start, runs.back().size + page_size);
    if (joins)
      runs.back().size += page_size;
    else
      runs.push_back({at, page_size});
  }
  return runs;
}

void Memory::populate(Range range) {
  if (range.size == 0) return;
  storage(range.start, range.size);
  const std::uint64_t first = range.start.value / page_size;
  const std::uint64_t last = (range.end().value - 1) / page_size;
  bool changed = false;
  for (std::uint64_t frame = first; frame <= last; ++frame) {
    if (!pages_.insert(frame).second) continue;
    changed = true;
    // Touches the page, so that the host's count agrees with ours.
    std::memset(bytes_ + file_offset(GuestPhysical(frame * page_size)), 0, page_size);
  }
  if (changed) frames_changed(first, last - first + 1);
}

void Memory::write(GuestPhysical at, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  populate({at, bytes.size()});
  std::memcpy(storage(at, bytes.size()), bytes.data(), bytes.size());
}

void Memory::write(GuestPhysical at, std::string_view text) {
  write(at, std::as_bytes(std::span(text.data(), text.size())));
}

void Memory::peek(GuestPhysical at, std::span<std::byte> into) const {
  storage(at, into.size());
  for (std::size_t done = 0; done < into.size();) {
    const GuestPhysical from = at + done;
    const std::size_t size =
        std::min<std::size_t>(into.size() - done, page_size - from.value % page_size);
    if (is_populated(from))
      std::memcpy(into.data() + done, storage(from, size), size);
    else
      std::memset(into.data() + done, 0, size);
    done += size;
  }
}

void Memory::punch_hole(Range range) {
  const std::uint64_t first = range.start.value / page_size;
  const std::uint64_t count = (range.end().value + page_size - 1) / page_size - first;
  const GuestPhysical start(first * page_size);
  storage(start, count * page_size);
  if (fallocate(file_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                static_cast<off_t>(file_offset(start)), static_cast<off_t>(count * page_size)) != 0)
    throw_errno("fallocate");
  for (std::uint64_t frame = first; frame < first + count; ++frame) pages_.erase(frame);
  frames_changed(first, count);
}

void Memory::fail_reads(Range range) {
  const std::uint64_t first = range.start.value / page_size;
  const std::uint64_t count = (range.end().value + page_size - 1) / page_size - first;
  for (std::uint64_t frame = first; frame < first + count; ++frame) failing_.insert(frame);
  frames_changed(first, count);
}

void Memory::stop_failing() {
  for (const std::uint64_t frame : std::exchange(failing_, {})) frames_changed(frame, 1);
}

void Memory::reset_statistics() {
  statistics_ = {};
  accesses_.clear();
}

std::uint64_t Memory::allocated_pages() const {
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) throw_errno("fstat");
  return static_cast<std::uint64_t>(status.st_blocks) * 512 / page_size;
}

void Memory::frames_changed(std::uint64_t /*first*/, std::uint64_t /*count*/) {}

}  // namespace vitrine::synthetic
