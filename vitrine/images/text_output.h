// Text that is written piece by piece, in blocks, and never too much of it: what a guest's tables
// make may be larger than the tables.
//
// Thread contract: one thread at a time. Private memory: one block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::images {

class TextOutput {
 public:
  static constexpr std::uint64_t max_bytes = 512U << 20;

  // Takes the blocks, in their order.
  using Sink = std::function<base::Result<void>(std::string_view block)>;
  explicit TextOutput(Sink sink) : sink_(std::move(sink)) {}

  // After an error nothing is written any more: who writes much looks at failed() now and then.
  void put(std::string_view text);
  bool failed() const { return !status_.has_value(); }

  // Writes what is left; returns how many bytes there were. Errors: the sink's; `inconsistent`
  // beyond max_bytes.
  base::Result<std::uint64_t> finish();

 private:
  void write();

  Sink sink_;
  std::string block_;
  std::uint64_t bytes_ = 0;
  base::Result<void> status_;
};

}  // namespace vitrine::images
