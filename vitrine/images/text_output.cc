#include "vitrine/images/text_output.h"

namespace vitrine::images {
namespace {

constexpr std::size_t kTextBlock = 64 << 10;

}  // namespace

void TextOutput::put(std::string_view text) {
  if (failed()) return;
  if (text.size() > max_bytes - bytes_) {
    status_ =
        base::fail(base::Code::inconsistent, "what the guest says of itself makes more than " +
                                                 std::to_string(max_bytes >> 20) + " MiB of text");
    return;
  }
  bytes_ += text.size();
  block_ += text;
  if (block_.size() >= kTextBlock) write();
}

void TextOutput::write() {
  status_ = sink_(block_);
  block_.clear();
}

base::Result<std::uint64_t> TextOutput::finish() {
  if (!failed() && !block_.empty()) write();
  if (failed()) return base::fail(status_.error());
  return bytes_;
}

}  // namespace vitrine::images
