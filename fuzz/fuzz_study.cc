// A survey's JSON, as somebody else's or a damaged one may be: what is read is written and read
// again to the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/fuzzer.h"
#include "fuzz/require.h"
#include "vitrine/survey/study_from_json.h"
#include "vitrine/survey/study_json.h"

VITRINE_FUZZER(study) {
  using namespace vitrine::survey;
  const auto study = study_from_json({reinterpret_cast<const char*>(data), size});
  if (!study) return 0;
  const std::string text = study_json(*study);
  const auto again = study_from_json(text);
  vitrine::fuzz::require(again && study_json(*again) == text);
  return 0;
}
