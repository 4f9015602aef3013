#include "vitrine/techniques/arriving_memory.h"

namespace vitrine::techniques {
namespace {

using base::kPage;

}  // namespace

// True for what lies outside of RAM: the image says so itself.
bool ArrivingMemory::wait_for(const memory::ReadRequest& request) {
  const std::uint64_t size = request.into.size();
  const auto ram = image_.memory().ram();
  for (std::size_t i = 0; i < ram.size(); ++i) {
    if (size == 0 || !ram[i].contains(request.address, size)) continue;
    const std::uint64_t at = image_.offset(i) + (request.address - ram[i].start);
    return arrivals_.wait(at / kPage, (at + size - 1) / kPage, patience_);
  }
  return true;
}

void ArrivingMemory::read(std::span<memory::ReadRequest> requests) {
  for (memory::ReadRequest& request : requests) {
    if (wait_for(request))
      image_.memory().read(std::span(&request, 1));
    else
      request.status = memory::ReadStatus::failed;
  }
}

std::vector<memory::Range> ArrivingMemory::populated(memory::Range within) {
  if (!arrivals_.wait_for_all(patience_)) return {};
  return image_.memory().populated(within);
}

}  // namespace vitrine::techniques
