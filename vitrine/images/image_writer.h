// What writes an image in one format. Pages come once each, in ascending order of their addresses.
//
// Thread contract: one thread at a time. Effect on the guest: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/omission.h"
#include "vitrine/images/output_file.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/memory/registers.h"
#include "vitrine/paging/address_space.h"

namespace vitrine::images {

enum class Format : std::uint8_t {
  raw,    // the byte at guest-physical address A is the file's byte A
  elf,    // ELF core of the whole machine, as QEMU's dump-guest-memory and /proc/vmcore
  kdump,  // compressed page by page, as makedumpfile writes it
};

// "raw", "elf", "kdump".
std::string_view name(Format format);
std::optional<Format> find_format(std::string_view wanted);

// What an image says about its guest beside the pages.
struct GuestDescription {
  std::vector<memory::Range> ram;  // sorted, disjoint, in whole pages
  std::vector<memory::X86GeneralRegisters> processors;
  std::string vmcoreinfo;    // the text
  paging::LinearMap direct;  // size 0: not known
  paging::LinearMap image;
  std::uint64_t physical_base = 0;  // where the kernel's start map begins (phys_base)
  std::vector<std::byte> utsname;   // the guest's struct new_utsname
  Omissions omissions;
  std::string predecessor;  // SHA-256 of the image that this one builds on; empty: it is whole
};

class ImageWriter {
 public:
  virtual ~ImageWriter() = default;

  // What comes before the pages.
  virtual base::Result<void> begin() = 0;
  // Whole pages from `at` on, with their bytes.
  virtual base::Result<void> store(base::GuestPhysical at, std::span<const std::byte> bytes) = 0;
  // Pages that are zero and need no bytes in the image; it still says that they are zero.
  virtual base::Result<void> store_zeros(memory::Range range) = 0;
  // Pages that are left out, whatever they hold.
  virtual base::Result<void> leave_out(memory::Range range) = 0;
  // Pages that are as in the predecessor; only where there is one.
  virtual base::Result<void> keep(memory::Range) { return {}; }
  // What comes after the pages. Returns the SHA-256 of the whole file as hex digits.
  virtual base::Result<std::string> finish() = 0;
  // The file's size, holes counted, in bytes; final once finished.
  virtual std::uint64_t size() const = 0;
};

// `guest` and `file` outlive the writer. Error: `unsupported` where the format cannot hold it.
base::Result<std::unique_ptr<ImageWriter>> make_writer(Format format, const GuestDescription& guest,
                                                       OutputFile& file);

}  // namespace vitrine::images
