// What a kernel answered, as it is kept between runs, and the check that it is this kernel that
// answered: pages of the tables, chosen at random when they were kept, still hold the same bytes.
//
// Thread contract: as the memory. Cost: one scattered read of kSamples pages.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/address.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/virtual_memory.h"

namespace vitrine::kernel {

struct Recollection {
  struct Sample {
    std::uint64_t offset = 0;  // of a page, from the page of _stext
    std::uint64_t hash = 0;    // of its bytes
  };
  static constexpr std::size_t kSamples = 32;

  std::string release;
  std::string build_id;
  std::vector<Sample> samples;
  std::map<std::string, std::string> answers;
};

// Finds what was kept of the kernel of this build id; may return what is stale or damaged.
using Recall = std::function<std::optional<Recollection>(std::string_view build_id)>;

// What is worth keeping of a kernel; nothing where its tables can't be told from another's (no
// build id) or can't be read now.
std::optional<Recollection> recollect(const Kernel& kernel, memory::PhysicalMemory& memory);

// Whether the samples are what `memory` holds now, for a kernel whose _stext is at `text`.
bool confirms(const Recollection& recollection, memory::VirtualMemory& memory,
              base::GuestVirtual text);

}  // namespace vitrine::kernel
