// A process of its own that outlives this one: it belongs to another process group, ignores every
// signal that can be ignored, and is nobody's child that would have to be waited for.
//
// Thread contract: one thread at a time. Cost: a copy of this process, about a millisecond.
#pragma once

#include <functional>
#include <span>

#include "vitrine/base/result.h"

namespace vitrine::host {

// Runs `life` in such a process, which ends when it returns. Of this process's descriptors it keeps
// `descriptors` and no others. `name` is what ps shows, at most 15 bytes. Error: as fork.
base::Result<void> start_detached(const char* name, std::span<const int> descriptors,
                                  const std::function<void()>& life);

}  // namespace vitrine::host
