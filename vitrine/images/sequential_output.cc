#include "vitrine/images/sequential_output.h"

namespace vitrine::images {

base::Result<void> SequentialOutput::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  hash_.update_zeros(offset - end_);
  hash_.update(bytes);
  end_ = offset + bytes.size();
  return file_.write(offset, bytes);
}

base::Result<std::string> SequentialOutput::finish(std::uint64_t size) {
  hash_.update_zeros(size - end_);
  end_ = size;
  if (auto sized = file_.set_size(size); !sized) return base::fail(sized.error());
  return hash_.finish();
}

}  // namespace vitrine::images
