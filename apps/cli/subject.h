// What a verb looks at, as the user named it: a VM, or a memory image with what its manifest says.
//
// Thread contract: independent calls. Effect on the guest: none.
#pragma once

#include <memory>
#include <string>

#include "apps/cli/report.h"
#include "vitrine/session/session.h"

namespace vitrine::cli {

// As session::find_source; of an image, its manifest tells whether it is of one instant and, if it
// is incremental, what it builds on. Errors: as that, and as read_chain for an incremental image.
base::Result<session::Source> find_subject(const std::string& spec);

// The VM that a verb needs which can do nothing with an image: error `invalid` for one, with `what`
// is of VMs only, e.g. "--dry-run".
base::Result<vmm::Machine> find_machine(const std::string& spec, const std::string& what);

// How an answer names it: `spec` is what the user called it.
VmIdentity identity(const vmm::Machine& machine, const std::string& spec);
VmIdentity identity(const session::Session& session, const std::string& spec);
VmIdentity identity(const images::ImageFile& image);

// How an observation went, as it is reported.
Provenance provenance_of(const session::Observation& observation);

// Whether an image is what its manifest says: its SHA-256 is computed. Cost: the file is read once.
struct ManifestCheck {
  enum class Verdict : std::uint8_t { matches, differs, missing, damaged };
  Verdict verdict = Verdict::missing;
  std::string about;  // in words: which manifest, and what differs
};
ManifestCheck check_manifest(const std::filesystem::path& image);

// "matches", "differs", "missing", "damaged".
std::string_view name(ManifestCheck::Verdict verdict);

}  // namespace vitrine::cli
