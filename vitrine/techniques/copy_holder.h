// Optional power of an Access: the copy that it looks at can be kept when the access is gone, so
// that a later one can tell what changed since.
//
// Thread contract: as the access. Effect on the guest: while a copy is held, the first write to
// each page copies it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "vitrine/base/result.h"
#include "vitrine/memory/page_changes.h"

namespace vitrine::techniques {

class CopyHolder {
 public:
  virtual ~CopyHolder() = default;

  // Has the copy stay for that long, to be found at `path`, a name in a folder for the user alone.
  // Errors: as host::ProcessCopy::hold.
  virtual base::Result<void> hold(const std::filesystem::path& path, std::chrono::seconds time) = 0;

  // What changed between the copy held at `path` and the present one, until the next begin() or
  // rest(). Errors: `absent` where none is held; `inconsistent` where it is of another VM, or of
  // other RAM; as host::FrameComparison.
  virtual base::Result<std::unique_ptr<memory::PageChanges>> changes_since(
      const std::filesystem::path& path) = 0;
};

}  // namespace vitrine::techniques
