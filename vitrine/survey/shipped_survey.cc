#include "vitrine/survey/shipped_survey.h"

#include <cstddef>

// The assembler takes the file as it is: no generator, no compiler that chokes on a long literal.
#ifdef VITRINE_SHIPPED_SURVEY
// clang-format off
asm(".pushsection .rodata\n"
    "vitrine_shipped_survey_begin: .incbin \"" VITRINE_SHIPPED_SURVEY "\"\n"
    "vitrine_shipped_survey_end: .byte 0\n"
    ".popsection\n");
// clang-format on
extern "C" {
extern const char vitrine_shipped_survey_begin[];
extern const char vitrine_shipped_survey_end[];
}
#endif

namespace vitrine::survey {

std::string_view shipped_survey() {
#ifdef VITRINE_SHIPPED_SURVEY
  return {vitrine_shipped_survey_begin,
          static_cast<std::size_t>(vitrine_shipped_survey_end - vitrine_shipped_survey_begin)};
#else
  return {};
#endif
}

}  // namespace vitrine::survey
