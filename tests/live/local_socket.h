// A Unix stream socket read up to a mark, with a deadline: what the serial console and QMP need.
//
// Thread contract: one thread per socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::live {

class LocalSocket {
 public:
  // Tries until the socket accepts; throws std::runtime_error past the limit.
  LocalSocket(const std::filesystem::path& path, std::chrono::milliseconds limit);

  void send(std::string_view text);
  // Everything up to and including the mark, which is taken out of the stream. Throws
  // std::runtime_error past the limit or at the end of the stream.
  std::string read_until(std::string_view mark, std::chrono::milliseconds limit);

 private:
  base::FileDescriptor descriptor_;
  std::string received_;
};

}  // namespace vitrine::live
