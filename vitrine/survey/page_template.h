// The report's page as page/ builds it, without data.
//
// Thread contract: pure function.
#pragma once

#include <string_view>

namespace vitrine::survey {

// Where the data goes; page/build.mjs knows it, too.
inline constexpr std::string_view kPlaceOfData = "@DATA@";

// Empty where the library was built without it.
std::string_view page_template();

}  // namespace vitrine::survey
