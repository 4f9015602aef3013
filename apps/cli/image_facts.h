// What is known of a memory image as a file, as `info` tells it: format, size, RAM, notes, and
// whether its manifest still matches.
//
// Thread contract: independent calls. Cost: the whole file is read where it has a manifest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/subject.h"
#include "vitrine/images/image_file.h"
#include "vitrine/kernel/kernel.h"

namespace vitrine::cli {

// Begins the names of the facts that say how much RAM there is at an address.
inline constexpr std::string_view kRamAt = "ram_at_";

std::vector<kernel::Finding> image_facts(const images::ImageFile& image,
                                         const ManifestCheck& manifest);

// A warning where the manifest is there and the image is not what it says; else empty.
std::string manifest_warning(const images::ImageFile& image, const ManifestCheck& manifest);

}  // namespace vitrine::cli
