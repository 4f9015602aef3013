// What a file holds, for tests of images. Cost: read at once, since images may be large.
//
// Thread contract: any thread.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace vitrine::images::testing {

inline std::string content_of(const std::filesystem::path& path) {
  std::string content(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary)
      .read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

}  // namespace vitrine::images::testing
