#include "apps/cli/image_files.h"

#include <unistd.h>

#include <span>

namespace vitrine::cli {

using images::OutputFile;

std::filesystem::path manifest_path(const std::filesystem::path& image) {
  return image.string() + ".json";
}

base::Result<ImageFiles> ImageFiles::create(const std::filesystem::path& path, bool replace) {
  const auto existing = replace ? OutputFile::Existing::replace : OutputFile::Existing::keep;
  auto image = OutputFile::create(path, existing);
  if (!image) return base::fail(image.error());
  auto manifest = OutputFile::create(manifest_path(path), existing);
  if (!manifest) return base::fail(manifest.error());
  return ImageFiles(std::move(*image), std::move(*manifest));
}

// The image last: where there is one, its manifest is there, too.
base::Result<void> ImageFiles::publish(std::string_view manifest) {
  const auto bytes = std::as_bytes(std::span(manifest.data(), manifest.size()));
  if (auto written = manifest_.write(0, bytes); !written) return written;
  for (OutputFile* file : {&image_, &manifest_})
    if (auto synced = file->sync(); !synced) return synced;
  if (auto named = manifest_.publish(); !named) return named;
  if (auto named = image_.publish(); !named) {
    unlink(manifest_.path().c_str());
    return named;
  }
  return image_.sync_name();
}

}  // namespace vitrine::cli
