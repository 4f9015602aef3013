#include "tests/synthetic/mapped_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <system_error>

namespace vitrine::synthetic {

MappedMemory::MappedMemory(std::vector<Range> ram)
    : Memory(std::move(ram)), empty_file_(memfd_create("synthetic-holes", MFD_CLOEXEC)) {
  for (const Range& range : this->ram()) {
    void* at = mmap(nullptr, range.size, PROT_READ, MAP_SHARED, empty_file_.get(), 0);
    if (at == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    windows_.push_back({range, static_cast<const std::byte*>(at)});
  }
}

MappedMemory::~MappedMemory() {
  for (const memory::Window& window : windows_)
    munmap(const_cast<std::byte*>(window.bytes), window.range.size);
}

void MappedMemory::frames_changed(std::uint64_t first, std::uint64_t count) {
  for (const memory::Window& window : windows_) {
    for (std::uint64_t frame = first; frame < first + count; ++frame) {
      const GuestPhysical at(frame * page_size);
      if (!window.range.contains(at, page_size)) continue;
      ++remapped_;
      const bool readable = is_populated(at) && !fails(frame);
      auto* where = const_cast<std::byte*>(window.bytes) + (at - window.range.start);
      const auto offset = static_cast<off_t>(file_offset(at));
      if (mmap(where, page_size, PROT_READ, MAP_SHARED | MAP_FIXED,
               readable ? backing_file() : empty_file_.get(), readable ? offset : 0) == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "mmap");
    }
  }
}

}  // namespace vitrine::synthetic
