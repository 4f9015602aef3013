#include "vitrine/techniques/region_memory.h"

namespace vitrine::techniques {

RegionMemory::RegionMemory(PopulatedPages pages, std::unique_ptr<PieceReader> reader)
    : pages_(std::move(pages)), reader_(std::move(reader)) {}

void RegionMemory::read(std::span<memory::ReadRequest> requests) {
  pieces_.clear();
  owners_.clear();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    memory::ReadRequest& request = requests[i];
    const PopulatedPages::Place place = pages_.find(request.address, request.into.size());
    request.status = place.status;
    if (place.status != memory::ReadStatus::ok) continue;
    pieces_.push_back({place.host, request.into});
    owners_.push_back(i);
  }
  reader_->read(pieces_);
  for (std::size_t i = 0; i < pieces_.size(); ++i)
    requests[owners_[i]].status =
        pieces_[i].ok ? memory::ReadStatus::ok : memory::ReadStatus::failed;
}

}  // namespace vitrine::techniques
