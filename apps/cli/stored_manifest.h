// Manifests of images that were taken before, and the images that an incremental one builds on.
// Nothing in them is believed: what they say of the images is checked against the images.
//
// Thread contract: independent reads of files.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/images/image_chain.h"

namespace vitrine::cli {

struct StoredManifest {
  std::string sha256;                                // of the image
  std::optional<std::filesystem::path> predecessor;  // relative to the image's folder
  std::vector<std::string> skip;  // what the image leaves out, as --skip names it
  bool unreadable = false;        // it lacks pages that the host could not read
  bool one_instant = false;       // the image is proved to be of one instant
  std::uint64_t bytes = 0;        // of the image; 0 where it is not told
};

// Error: `inconsistent` for what is no manifest of this program.
base::Result<StoredManifest> parse_manifest(std::string_view text);

// That of the image at `path`. Errors: as parse_manifest, `absent` where it has none beside it.
base::Result<StoredManifest> read_manifest(const std::filesystem::path& path);

struct StoredChain {
  std::vector<images::ChainLink> links;  // the whole image first, the one asked for last
  std::string newest;                    // its manifest, JSON
  std::vector<std::string> skip;         // what any of them leaves out, sorted
  bool unreadable = false;               // any of them lacks pages that the host could not read

  // Whether the images hold what every page held, zeros included.
  bool complete() const {
    return !unreadable && (skip.empty() || skip == std::vector<std::string>{"zero"});
  }
};

// Of the image at `path`. Errors: as parse_manifest, `absent` where an image has no manifest beside
// it, `inconsistent` where more than a thousand build on each other.
base::Result<StoredChain> read_chain(const std::filesystem::path& path);

// Error: `invalid` where writing to `output` would replace one of the images, or its manifest.
base::Result<void> spares_chain(const std::filesystem::path& output,
                                std::span<const images::ChainLink> links);

}  // namespace vitrine::cli
