// What views read through.
#pragma once

#include "vitrine/paging/virtual_reader.h"

namespace vitrine::views {

using Reader = paging::VirtualReader;

}  // namespace vitrine::views
