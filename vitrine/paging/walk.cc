#include "vitrine/paging/walk.h"

namespace vitrine::paging {

std::string_view name(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "readable";
    case Fault::not_canonical:
      return "not a valid address";
    case Fault::not_mapped:
      return "page is not mapped";
    case Fault::swapped_out:
      return "page is swapped out by the guest";
    case Fault::outside_ram:
      return "page lies outside the guest's RAM";
    case Fault::not_populated:
      return "page is not populated by the VMM";
    case Fault::host_failed:
      return "host could not read the page";
  }
  return "unreadable";
}

}  // namespace vitrine::paging
