// Files without a name: whatever happens to this process, nothing of them stays on the disk.
//
// Thread contract: independent calls. No effect on the guest.
#pragma once

#include <cstdint>
#include <string>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::host {

// The folder for memory images: $TMPDIR if it is set, else /var/tmp, which is on a disk, as a rule.
std::string temporary_folder();

// An unnamed file there that only its owner may read, for at least `space` bytes. Errors: `absent`
// or `denied` where the folder can't be used, `unreadable` where too little is free.
base::Result<base::FileDescriptor> temporary_file(std::uint64_t space);

}  // namespace vitrine::host
