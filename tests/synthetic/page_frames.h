// The synthetic kernel's account of its page frames: one struct page each, in the virtual array
// vmemmap. Frames are in use unless something else is said of them.
//
// Thread contract: one thread at a time.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

class PageFrames {
 public:
  // Builds the array for all of RAM; its memory comes from the kernel's frames.
  explicit PageFrames(Kernel& kernel);

  // A block of 2^order frames in the buddy allocator's lists.
  void set_free(std::uint64_t frame, unsigned order);
  // A folio of `pages` frames of the page cache, clean, that nobody else refers to.
  void set_cached(std::uint64_t frame, std::uint32_t pages = 1);

  void set_flags(std::uint64_t frame, std::initializer_list<std::string> names);
  void set(std::uint64_t frame, std::string_view member, std::uint64_t value);
  void set_type(std::uint64_t frame, std::int32_t type);
  // Takes away the array's page that describes the frame, as where no memory section is.
  void unmap(std::uint64_t frame);

 private:
  GuestVirtual entry(std::uint64_t frame) const;
  std::vector<std::byte> entry_in_use() const;    // as every frame's is at first
  GuestPhysical physical(GuestVirtual at) const;  // in the array
  const char* type_member() const;                // says what kind of frame it is

  Kernel& kernel_;
};

}  // namespace vitrine::synthetic
