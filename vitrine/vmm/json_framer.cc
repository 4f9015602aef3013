#include "vitrine/vmm/json_framer.h"

#include <fmt/format.h>

namespace vitrine::vmm {

base::Result<std::optional<std::string>> JsonFramer::next() {
  if (scanned_ == 0) buffer_.erase(0, buffer_.find_first_not_of(" \t\r\n"));
  if (!buffer_.empty() && buffer_.front() != '{') {
    return base::fail(base::Code::inconsistent, "what answers is not QMP");
  }
  for (; scanned_ < buffer_.size(); ++scanned_) {
    if (scanned_ >= limit_) {
      return base::fail(base::Code::unsupported,
                        fmt::format("a QMP reply is larger than {} bytes", limit_));
    }
    const char c = buffer_[scanned_];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}' && --depth_ == 0) {
      std::string object = buffer_.substr(0, scanned_ + 1);
      buffer_.erase(0, scanned_ + 1);
      scanned_ = 0;
      return object;
    }
  }
  return std::optional<std::string>{};
}

}  // namespace vitrine::vmm
