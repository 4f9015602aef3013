// A survey's report: one HTML page with charts and tables that needs no network and is allowed
// none. Its sources are in page/; the build bundles them with the chart library into one template.
//
// Thread contract: pure function.
#pragma once

#include <string>

#include "vitrine/base/result.h"
#include "vitrine/survey/study.h"

namespace vitrine::survey {

// The page, UTF-8, some 600 KB and what the data takes. `unsupported` where this library was built
// without it (VITRINE_PAGE=OFF).
base::Result<std::string> report_page(const Study& study);

}  // namespace vitrine::survey
