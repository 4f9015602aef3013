// An image and its manifest, FILE and FILE.json, both without a name until both are whole.
//
// Thread contract: one thread at a time.
#pragma once

#include <filesystem>
#include <string_view>

#include "vitrine/images/output_file.h"

namespace vitrine::cli {

class ImageFiles {
 public:
  // Errors: as images::OutputFile::create.
  static base::Result<ImageFiles> create(const std::filesystem::path& path, bool replace);

  images::OutputFile& image() { return image_; }

  // Writes the manifest and gives both their names. Errors: as images::OutputFile.
  base::Result<void> publish(std::string_view manifest);

 private:
  ImageFiles(images::OutputFile image, images::OutputFile manifest)
      : image_(std::move(image)), manifest_(std::move(manifest)) {}

  images::OutputFile image_;
  images::OutputFile manifest_;
};

// Where the manifest of an image is.
std::filesystem::path manifest_path(const std::filesystem::path& image);

}  // namespace vitrine::cli
