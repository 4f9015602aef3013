#include "vitrine/survey/report.h"

#include "vitrine/survey/page_template.h"
#include "vitrine/survey/report_data.h"

namespace vitrine::survey {

base::Result<std::string> report_page(const Study& study) {
  const std::string_view page = page_template();
  // It stands before the scripts, so that nothing in them is taken for it.
  const std::size_t place = page.find(kPlaceOfData);
  if (place == std::string_view::npos)
    return base::fail(base::Code::unsupported, "this vitrine was built without the report's page",
                      "build it with npm at hand and -DVITRINE_PAGE=ON");
  return std::string(page.substr(0, place)) + report_data(study) +
         std::string(page.substr(place + kPlaceOfData.size()));
}

}  // namespace vitrine::survey
