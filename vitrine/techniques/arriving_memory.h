// Guest-physical memory of which an image is still arriving: a read of what has not come waits.
//
// Thread contract: one thread at a time, beside the one that fills the image. Effect on the guest:
// none.
#pragma once

#include "vitrine/memory/physical_memory.h"
#include "vitrine/techniques/arrivals.h"
#include "vitrine/techniques/ram_image.h"

namespace vitrine::techniques {

class ArrivingMemory final : public memory::PhysicalMemory {
 public:
  // Both outlive this. A read fails where nothing at all arrives for `patience`.
  ArrivingMemory(RamImage& image, Arrivals& arrivals, std::chrono::milliseconds patience)
      : image_(image), arrivals_(arrivals), patience_(patience) {}

  void read(std::span<memory::ReadRequest> requests) override;
  std::span<const memory::Range> ram() const override { return image_.memory().ram(); }
  // Waits for the whole image.
  std::vector<memory::Range> populated(memory::Range within) override;

 private:
  bool wait_for(const memory::ReadRequest& request);

  RamImage& image_;
  Arrivals& arrivals_;
  std::chrono::milliseconds patience_;
};

}  // namespace vitrine::techniques
