// Attaching to a memory image: the file opened as an access that nothing changes, and the kernel
// found in it.
//
// Thread contract: independent calls may run in parallel. Effect on any guest: none.
#pragma once

#include "vitrine/session/attach.h"

namespace vitrine::session {

// Errors: as images::open_image and kernel::locate; `invalid` where the options ask for what is
// done to a VM.
base::Result<Attachment> attach_image(const ImageSource& source, const Options& options);

}  // namespace vitrine::session
