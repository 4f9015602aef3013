// A memory image as a file that somebody gives us: what format it has, its RAM as a guest's memory,
// and what it says of the guest beside that.
//
// Thread contract: one thread at a time. Effect on the guest: none. Nothing in the file is
// believed. Cost: headers are read, of a migration stream all.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/evidence.h"
#include "vitrine/images/image_chain.h"
#include "vitrine/memory/physical_memory.h"
#include "vitrine/memory/registers.h"

namespace vitrine::images {

enum class ImageKind : std::uint8_t {
  raw,           // bare memory, no header: what no other format claims
  elf,           // core file of the whole machine
  incremental,   // of this program: an ELF image that holds what changed
  kdump,         // compressed crash dump
  lime,          // LiME version 1
  migration,     // QEMU's migration stream
  libvirt_save,  // the same behind libvirt's header
  evidence,      // what one observation read
};

// "raw", "elf", "incremental", "kdump", "lime", "migration", "libvirt-save",
// "evidence".
std::string_view name(ImageKind kind);

struct ImageFile {
  std::filesystem::path file;
  ImageKind kind = ImageKind::raw;
  std::string about;            // the format in words, with what the file says of itself
  std::uint64_t size = 0;       // of the file in bytes, holes counted
  std::uint64_t allocated = 0;  // what it takes on the disk
  std::unique_ptr<memory::PhysicalMemory> memory;
  std::string vmcoreinfo;  // the text of the note that the file carries; empty: none
  std::vector<memory::X86Registers> registers;  // of every vCPU, where control registers are kept
  std::vector<memory::X86GeneralRegisters> processors;  // of every vCPU; empty: none
  bool one_instant = false;  // the format itself proves it: the guest stood still for it
  std::string vm_name;       // of the VM that it is of; empty: the file does not tell
  std::shared_ptr<const Evidence> evidence;  // where it is that; its bytes are in `memory`
};

// Opens the image at `path`; `chain` is what an incremental one builds on, itself at the end, and
// empty for any other. Errors: `absent` and `denied` as open; `invalid` for what is no regular
// file, and for a file that cannot be an image at all; `unsupported` for formats that are known
// and not read, with what to do; `inconsistent` for an image that is empty, truncated or damaged.
base::Result<ImageFile> open_image(const std::filesystem::path& path,
                                   std::span<const ChainLink> chain = {});

// Whether it is an incremental image; false for whatever cannot be read.
bool is_incremental(const std::filesystem::path& path);

}  // namespace vitrine::images
