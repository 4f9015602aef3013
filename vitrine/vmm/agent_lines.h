// Cuts what a guest agent sends into answers, one a line. An answer that is preceded by a byte of
// 0xFF is marked: it was asked for by guest-sync-delimited, and what came before it on its line is
// the rest of an older answer (docs/interop/qemu-ga-ref, guest-sync-delimited).
//
// Thread contract: one thread at a time per object.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::vmm {

struct AgentLine {
  std::string text;
  bool marked = false;
};

class AgentLines {
 public:
  explicit AgentLines(std::size_t limit) : limit_(limit) {}

  void feed(std::string_view bytes) { buffer_ += bytes; }

  // The next complete line that is not blank, or nothing until more is fed. Error: `unsupported`
  // where a line is longer than the limit; it is left out then, and the next call goes on behind.
  base::Result<std::optional<AgentLine>> next();

  bool empty() const { return buffer_.empty() && !skipping_; }

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t scanned_ = 0;  // bytes of the buffer that hold no line's end
  bool skipping_ = false;    // within a line that is too long
};

}  // namespace vitrine::vmm
