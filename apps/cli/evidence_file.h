// Writing what a view read as an evidence file (images/evidence.h), with where it is from.
//
// Thread contract: one thread at a time per session.
#pragma once

#include <string_view>

#include "apps/cli/report.h"
#include "vitrine/images/output_file.h"
#include "vitrine/session/session.h"

namespace vitrine::cli {

// Writes and publishes `file`. REQUIRES: the session records. Errors: as images::OutputFile.
base::Result<void> save_evidence(const session::Session& session, std::string_view view,
                                 const VmIdentity& vm, const Provenance& observation,
                                 images::OutputFile& file);

}  // namespace vitrine::cli
