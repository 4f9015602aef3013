// Manifests of images that were taken before, and the images that an incremental one builds on.
// Nothing in them is believed: what they say of the images is checked against the images.
//
// Thread contract: independent reads of files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/image_chain.h"

namespace vitrine::cli {

struct StoredManifest {
  std::string sha256;                                // of the image
  std::optional<std::filesystem::path> predecessor;  // relative to the image's folder
};

// Error: `inconsistent` for what is no manifest of this program.
base::Result<StoredManifest> parse_manifest(std::string_view text);

struct StoredChain {
  std::vector<images::ChainLink> links;  // the whole image first, the one asked for last
  std::string newest;                    // its manifest, JSON
};

// Of the image at `path`. Errors: as parse_manifest, `absent` where an image has no manifest beside
// it, `inconsistent` where more than a thousand build on each other.
base::Result<StoredChain> read_chain(const std::filesystem::path& path);

}  // namespace vitrine::cli
