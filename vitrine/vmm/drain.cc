#include "vitrine/vmm/drain.h"

#include <algorithm>
#include <string>

#include "vitrine/base/json.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::vmm {
namespace {

using base::Code;
using base::fail;
using base::Json;

base::Result<Json> query(Qmp& qmp, const char* command) {
  const auto text = qmp.execute(command);
  if (!text) return fail(text.error());
  Json list = base::parse_json(*text);
  if (!list.is_array())
    return fail(Code::inconsistent,
                std::string("the monitor's answer to ") + command + " is no list");
  return list;
}

base::Result<void> nobody_uses_the_disks(Qmp& qmp) {
  const auto jobs = query(qmp, "query-jobs");
  if (!jobs) return fail(jobs.error());
  const bool all_over = std::ranges::all_of(*jobs, [](const Json& job) {
    return job.is_object() && job.value("status", Json()) == "concluded";
  });
  if (!all_over)
    return fail(Code::unsupported,
                "a job of the VMM goes on reading and writing disks while the VM stands still",
                "wait until it is done: query-jobs lists it");
  const auto exports = query(qmp, "query-block-exports");
  if (!exports) return fail(exports.error());
  if (!exports->empty())
    return fail(Code::unsupported, "the VMM lets others use its disks while the VM stands still",
                "end the export first: query-block-exports lists it");
  return {};
}

}  // namespace

base::Result<Drain> Drain::begin(Intervention& intervention) {
  auto pause = Pause::begin(intervention);
  if (!pause) return fail(pause.error());
  const auto state = run_state(intervention.qmp());
  if (!state) return fail(state.error());
  // QEMU stops its processors for that, drains nothing, and anything may wake it.
  if (state->status == "suspended")
    return fail(Code::unsupported, "the guest is suspended, and its disks may not be at rest",
                "wake it, or pause it through its manager");
  if (auto at_rest = nobody_uses_the_disks(intervention.qmp()); !at_rest)
    return fail(at_rest.error());
  return Drain(std::move(*pause));
}

}  // namespace vitrine::vmm
