// Cuts a stream of bytes into JSON objects, however they are split or spread over lines (QMP with
// pretty=on writes several).
//
// Thread contract: one thread at a time per object.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::vmm {

class JsonFramer {
 public:
  explicit JsonFramer(std::size_t limit) : limit_(limit) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }

  // The next complete object, or nothing until more is fed. Errors: `inconsistent` where the stream
  // is not JSON objects, `unsupported` where one is larger than the limit or nested so deeply that
  // working on it could overflow a stack.
  base::Result<std::optional<std::string>> next();

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t scanned_ = 0;  // bytes of the buffer already looked at
  std::size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace vitrine::vmm
