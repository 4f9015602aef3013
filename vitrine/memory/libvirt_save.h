// What libvirt writes before QEMU's migration stream in a file of `virsh save`: a header and the
// domain's XML (libvirt, src/qemu/qemu_saveimage.h).
//
// Thread contract: independent calls. Nothing in the file is believed: lengths are bounded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::memory {

inline constexpr std::string_view kLibvirtSaved = "LibvirtQemudSave";
inline constexpr std::string_view kLibvirtPartial = "LibvirtQemudPart";  // not saved to its end

struct LibvirtSave {
  std::string xml;
  std::string name;          // of the domain, as its XML has it; hostile text
  std::uint64_t stream = 0;  // where the migration stream begins in the file
};

// Errors: `unsupported` for a save that is compressed or of another version, `inconsistent` for one
// that was not completed or is truncated, pread's.
base::Result<LibvirtSave> read_libvirt_save(int file);

}  // namespace vitrine::memory
