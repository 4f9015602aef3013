// The guest's own list of processes, as a guest may forge it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzzer.h"
#include "vitrine/session/guest_processes.h"

VITRINE_FUZZER(guest_processes) {
  (void)vitrine::session::parse_guest_processes({reinterpret_cast<const char*>(data), size});
  return 0;
}
