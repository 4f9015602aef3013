#include "vitrine/vmm/json_framer.h"

#include <fmt/format.h>

namespace vitrine::vmm {
namespace {

// Who copies or writes what was parsed uses stack for each level. The deepest that QEMU says is a
// chain of backing files, whose usual length is below 100.
constexpr std::size_t kDeepest = 512;

}  // namespace

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
    } else if (c == '{' || c == '[') {
      if (++depth_ > kDeepest) {
        return base::fail(
            base::Code::unsupported,
            fmt::format("a QMP reply is nested more deeply than {} levels", kDeepest));
      }
    } else if ((c == '}' || c == ']') && --depth_ == 0) {
      if (c == ']') return base::fail(base::Code::inconsistent, "what answers is not QMP");
      std::string object = buffer_.substr(0, scanned_ + 1);
      buffer_.erase(0, scanned_ + 1);
      scanned_ = 0;
      return object;
    }
  }
  return std::optional<std::string>{};
}

}  // namespace vitrine::vmm
