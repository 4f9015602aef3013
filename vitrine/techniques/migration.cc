#include "vitrine/techniques/migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "vitrine/base/address.h"
#include "vitrine/base/json.h"
#include "vitrine/host/write_protection.h"
#include "vitrine/techniques/handed_descriptor.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using base::Json;

constexpr const char* kBackground = "background-snapshot";
// Bytes per second: more than any machine has, and few enough for QEMU's arithmetic.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 40;

base::Result<Json> ask(vmm::Qmp& qmp, const char* command) {
  auto reply = qmp.execute(command);
  if (!reply) return base::fail(reply.error());
  Json json = base::parse_json(*reply);
  if (json.is_discarded())
    return base::fail(Code::inconsistent, fmt::format("QEMU answers {} unintelligibly", command));
  return json;
}

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : std::string();
}

// MigrationStatus (qapi/migration.json): whether nothing is going on.
bool is_over(const std::string& status) {
  static constexpr std::array<std::string_view, 5> kOver{"", "none", "completed", "failed",
                                                         "cancelled"};
  return std::ranges::find(kOver, status) != kOver.end();
}

bool cancel(vmm::Qmp& qmp, std::string_view) {
  const auto state = ask(qmp, "query-migrate");
  if (!state) return state.error().code != Code::timeout;
  const std::string status = text_of(*state, "status");
  if (is_over(status)) return true;
  if (status != "cancelling") (void)qmp.execute("migrate_cancel");
  return false;
}

// Waits for the end; where that is a failure, the guest still hangs on pages that QEMU protected.
bool finish_snapshot(vmm::Qmp& qmp, std::string_view process) {
  const auto state = ask(qmp, "query-migrate");
  if (!state) return state.error().code != Code::timeout;
  const std::string status = text_of(*state, "status");
  if (!is_over(status)) return false;
  pid_t pid = 0;
  std::from_chars(process.data(), process.data() + process.size(), pid);
  // Without the right to do so nothing more can be done.
  if (status == "failed" || status == "cancelled") (void)host::release_write_protection(pid);
  return true;
}

// Refused while a migration is still ending; then it is tried again.
bool restore_capabilities(vmm::Qmp& qmp, std::string_view before) {
  const auto reply = qmp.execute("migrate-set-capabilities", before);
  return reply || reply.error().code == Code::gone;
}

bool restore_parameters(vmm::Qmp& qmp, std::string_view before) {
  return answered(qmp.execute("migrate-set-parameters", before));
}

// Whether a capability that is set may stay so: it does not change what is sent.
bool is_harmless(const std::string& capability) {
  return capability == "events" || capability == "late-block-activate";
}

base::Result<void> has_capability(vmm::Qmp& qmp, const std::string& wanted) {
  const auto capabilities = ask(qmp, "query-migrate-capabilities");
  if (!capabilities) return base::fail(capabilities.error());
  for (const Json& capability : *capabilities)
    if (text_of(capability, "capability") == wanted) return {};
  return base::fail(Code::unsupported, "this QEMU has no " + wanted,
                    "use QEMU 6.0 or later, or --technique dump");
}

base::Result<void> is_over(const Json& migration) {
  const std::string status = text_of(migration, "status");
  if (is_over(status)) return {};
  return base::fail(Code::unsupported, "a migration of the VM is under way (" + status + ")",
                    "wait until it is over");
}

}  // namespace

base::Result<void> no_migration_under_way(vmm::Qmp& qmp) {
  const auto migration = ask(qmp, "query-migrate");
  return migration ? is_over(*migration) : base::fail(migration.error());
}

base::Result<void> Migration::possible(vmm::Qmp& qmp, MigrationKind kind) {
  const auto state = vmm::run_state(qmp);
  if (!state) return base::fail(state.error());
  if (!state->running)
    return base::fail(
        Code::unsupported,
        "the VM is not running (" + state->status + "), and QEMU could not leave it in that state",
        "let it run, or use --technique dump or pmemsave");
  const auto migration = ask(qmp, "query-migrate");
  if (!migration) return base::fail(migration.error());
  if (auto over = is_over(*migration); !over) return over;
  if (const auto reasons = migration->find("blocked-reasons");
      reasons != migration->end() && reasons->is_array() && !reasons->empty())
    return base::fail(Code::unsupported,
                      "QEMU can't migrate this VM: " + (reasons->front().is_string()
                                                            ? reasons->front().get<std::string>()
                                                            : std::string("it does not say why")),
                      "use --technique dump or pmemsave");
  if (kind == MigrationKind::background_snapshot) return has_capability(qmp, kBackground);
  return {};
}

base::Result<std::uint64_t> Migration::most_bytes(vmm::Qmp& qmp) {
  const auto text = qmp.human_monitor("info ramblock");
  if (!text) return base::fail(text.error());
  // Name, page size, offset, used and total bytes (migration/ram.c, ram_block_format); a name may
  // hold blanks.
  constexpr std::uint64_t kPageHead = 8 + 1 + 256;
  constexpr std::uint64_t kDevices = 64 << 20;
  std::uint64_t pages = 0;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto total = line.rfind("0x");
    const auto used = total == std::string::npos ? total : line.rfind("0x", total - 1);
    if (used == std::string::npos) continue;
    std::uint64_t bytes = 0;
    std::from_chars(line.data() + used + 2, line.data() + line.size(), bytes, 16);
    if (bytes > std::uint64_t{1} << 52)
      return base::fail(Code::inconsistent, "QEMU lists a RAM block of impossible size");
    pages += bytes / base::kPage + 1;
  }
  if (pages == 0) return base::fail(Code::unsupported, "QEMU does not list its RAM blocks");
  return pages * (base::kPage + kPageHead) + kDevices;
}

base::Result<Migration> Migration::start(vmm::Intervention& intervention, pid_t pid, int descriptor,
                                         MigrationKind kind) {
  vmm::Qmp& qmp = intervention.qmp();
  Migration migration(qmp);
  if (auto set = migration.set_capabilities(intervention, kind); !set)
    return base::fail(set.error());
  if (auto set = migration.set_parameters(intervention); !set) return base::fail(set.error());
  auto handed = hand_over_named(intervention, descriptor);
  if (!handed) return base::fail(handed.error());
  migration.descriptor_ = std::move(handed->takeback);
  auto noted = kind == MigrationKind::background_snapshot
                   ? intervention.note(&finish_snapshot, std::to_string(pid))
                   : intervention.note(&cancel);
  if (!noted) return base::fail(noted.error());
  migration.running_ = std::move(*noted);
  auto started = qmp.execute("migrate", fmt::format(R"({{"uri":"{}"}})", handed->uri));
  if (!started) return base::fail(started.error());
  return migration;
}

// Switches off all that would send something else than plain pages.
base::Result<void> Migration::set_capabilities(vmm::Intervention& intervention,
                                               MigrationKind kind) {
  const auto capabilities = ask(*qmp_, "query-migrate-capabilities");
  if (!capabilities) return base::fail(capabilities.error());
  Json before = Json::array();
  Json wanted = Json::array();
  for (const Json& capability : *capabilities) {
    const std::string name = text_of(capability, "capability");
    const bool is_on = capability.is_object() && capability.value("state", Json()) == true;
    const bool want = name == kBackground ? kind == MigrationKind::background_snapshot
                                          : is_on && is_harmless(name);
    if (is_on == want) continue;
    before.push_back({{"capability", name}, {"state", is_on}});
    wanted.push_back({{"capability", name}, {"state", want}});
  }
  if (before.empty()) return {};
  auto noted = intervention.note(&restore_capabilities, Json{{"capabilities", before}}.dump());
  if (!noted) return base::fail(noted.error());
  capabilities_ = std::move(*noted);
  auto set = qmp_->execute("migrate-set-capabilities", Json{{"capabilities", wanted}}.dump());
  if (set) return {};
  base::Error error = set.error();
  if (kind == MigrationKind::background_snapshot && error.code == Code::unreadable) {
    error.code = Code::unsupported;
    error.remedy =
        "it needs userfaultfd with write protection on the host (Linux 5.7; for shared RAM 5.19), "
        "which the VMM may use: sysctl vm.unprivileged_userfaultfd=1, or CAP_SYS_PTRACE; or use "
        "--technique dump";
  }
  return base::fail(std::move(error));
}

base::Result<void> Migration::set_parameters(vmm::Intervention& intervention) {
  const auto parameters = ask(*qmp_, "query-migrate-parameters");
  if (!parameters) return base::fail(parameters.error());
  Json before = Json::object();
  Json wanted = Json::object();
  const auto want = [&](const char* name, const Json& value) {
    const auto found = parameters->find(name);
    if (found == parameters->end() || *found == value) return;
    before[name] = *found;
    wanted[name] = value;
  };
  want("max-bandwidth", kUnlimited);
  want("tls-creds", "");
  want("mode", "normal");
  if (before.empty()) return {};
  auto noted = intervention.note(&restore_parameters, before.dump());
  if (!noted) return base::fail(noted.error());
  parameters_ = std::move(*noted);
  auto set = qmp_->execute("migrate-set-parameters", wanted.dump());
  if (!set) return base::fail(set.error());
  return {};
}

base::Result<bool> Migration::completed() {
  const auto state = ask(*qmp_, "query-migrate");
  if (!state) return base::fail(state.error());
  const std::string status = text_of(*state, "status");
  if (status == "completed") {
    if (const auto downtime = state->find("downtime");
        downtime != state->end() && downtime->is_number_unsigned())
      downtime_ns_ = downtime->get<std::uint64_t>() * 1'000'000;
    return true;
  }
  if (!is_over(status)) return false;
  const std::string words = text_of(*state, "error-desc");
  return base::fail(Code::unreadable,
                    "QEMU's migration ended: " + status + (words.empty() ? "" : ", " + words));
}

base::Result<void> Migration::end() {
  base::Result<void> all;
  for (vmm::Change* change : {&running_, &descriptor_, &parameters_, &capabilities_})
    if (auto undone = change->undo(); !undone && all) all = undone;
  return all;
}

}  // namespace vitrine::techniques
