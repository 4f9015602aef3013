// Writes the report of the sample study to standard output; with --empty, that of a study of
// nothing.
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/page/sample_study.h"
#include "vitrine/survey/report.h"

int main(int count, char** arguments) {
  const bool empty = count > 1 && std::string_view(arguments[1]) == "--empty";
  const auto page = vitrine::survey::report_page(empty ? vitrine::survey::Study{}
                                                       : vitrine::survey::sample_study());
  if (!page) {
    std::fputs((vitrine::base::to_string(page.error()) + "\n").c_str(), stderr);
    return 1;
  }
  return std::fwrite(page->data(), 1, page->size(), stdout) == page->size() ? 0 : 1;
}
