// The guest's own list of processes, as a guest may forge it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vitrine/session/guest_processes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)vitrine::session::parse_guest_processes({reinterpret_cast<const char*>(data), size});
  return 0;
}
