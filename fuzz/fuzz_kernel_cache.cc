// What a kernel answered in an earlier run, as damage or a forger of the user's own may leave it.
// What is accepted is the same when it is kept again.
#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/session/kernel_cache.h"

VITRINE_FUZZER(kernel_cache) {
  using namespace vitrine;
  using fuzz::require;
  const auto kept = session::parse_recollection(fuzz::text_of(data, size));
  if (!kept) return 0;
  const auto again = session::parse_recollection(session::recollection_text(*kept));
  require(again && again->release == kept->release && again->build_id == kept->build_id);
  require(again->answers == kept->answers && again->samples.size() == kept->samples.size());
  for (std::size_t i = 0; i < kept->samples.size(); ++i) {
    require(again->samples[i].offset == kept->samples[i].offset);
    require(again->samples[i].hash == kept->samples[i].hash);
  }
  return 0;
}
