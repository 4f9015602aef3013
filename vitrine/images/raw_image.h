// An image without any structure: the byte at guest-physical address A is the file's byte A. What
// is no RAM, was never populated or is left out is a hole in the file and reads as zeros.
//
// Thread contract: one thread at a time.
#pragma once

#include "vitrine/images/image_writer.h"
#include "vitrine/images/sequential_output.h"

namespace vitrine::images {

class RawImage final : public ImageWriter {
 public:
  RawImage(const GuestDescription& guest, OutputFile& file) : guest_(guest), output_(file) {}

  base::Result<void> begin() override { return {}; }
  base::Result<void> store(base::GuestPhysical at, std::span<const std::byte> bytes) override {
    return output_.write(at.value, bytes);
  }
  base::Result<void> store_zeros(memory::Range) override { return {}; }
  base::Result<void> leave_out(memory::Range) override { return {}; }
  base::Result<std::string> finish() override {
    return output_.finish(guest_.ram.back().end().value);
  }
  std::uint64_t size() const override { return output_.end(); }

 private:
  const GuestDescription& guest_;
  SequentialOutput output_;
};

}  // namespace vitrine::images
