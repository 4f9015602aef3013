// The types of a synthetic kernel's network: namespaces, tables of sockets, and sockets.
//
// Thread contract: a pure function.
#pragma once

#include "tests/synthetic/types.h"

namespace vitrine::synthetic {

// REQUIRES: the scalars and the types of files are there.
void add_network(Types& types);

}  // namespace vitrine::synthetic
