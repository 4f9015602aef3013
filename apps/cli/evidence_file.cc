#include "apps/cli/evidence_file.h"

#include <unistd.h>

#include <array>

#include "apps/cli/json.h"
#include "vitrine/images/evidence.h"

namespace vitrine::cli {

base::Result<void> save_evidence(const session::Session& session, std::string_view view,
                                 const VmIdentity& vm, const Provenance& observation,
                                 images::OutputFile& file) {
  images::Evidence evidence = images::make_evidence(session.kernel(), *session.recorder());
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  evidence.about = {
      {"view", std::string(view)},
      {"host", host.data()},
      {"tool", "vitrine " VITRINE_VERSION},
      {"started", rfc3339(observation.started)},
      {"technique", std::string(session.technique().id)},
      {"atomic",
       observation.consistency.atomic == consistency::Atomic::proved ? "proved" : "unknown"},
      {"vm_name", vm.name.value_or("")},
      {"vm_source", vm.source}};
  if (auto written = images::write_evidence(evidence, file); !written)
    return base::fail(written.error());
  if (auto synced = file.sync(); !synced) return synced;
  if (auto published = file.publish(); !published) return published;
  return file.sync_name();
}

}  // namespace vitrine::cli
