// The headers of /proc/kcore as a guest may forge them. What is found has to be sorted, disjoint
// whole pages.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fuzz/fuzzer.h"
#include "vitrine/techniques/kcore.h"

VITRINE_FUZZER(kcore) {
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)vitrine::techniques::kcore_headers_size(bytes);
  const auto kcore = vitrine::techniques::parse_kcore(bytes);
  if (!kcore) return 0;
  vitrine::base::GuestPhysical end;
  for (const auto& segment : kcore->segments) {
    const auto& range = segment.physical;
    if (range.start < end || range.size == 0 || range.end() <= range.start) std::abort();
    if ((range.start.value | range.size | segment.offset) % 4096 != 0) std::abort();
    end = range.end();
  }
  return 0;
}
