#include "vitrine/survey/page_template.h"

#ifdef VITRINE_PAGE

// The assembler takes the file as it is; for the compiler, an array of its size takes seconds.
asm(".pushsection .rodata\n"
    "vitrine_page_begin: .incbin \"" VITRINE_PAGE
    "\"\n"
    "vitrine_page_end:\n"
    ".popsection\n");

extern "C" {
extern const char vitrine_page_begin[];
extern const char vitrine_page_end[];
}

#endif

namespace vitrine::survey {

std::string_view page_template() {
#ifdef VITRINE_PAGE
  return {vitrine_page_begin, static_cast<std::size_t>(vitrine_page_end - vitrine_page_begin)};
#else
  return {};
#endif
}

}  // namespace vitrine::survey
