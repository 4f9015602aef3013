#include "tests/live/vm_state.h"

#include "tests/live/qmp_client.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;

// Pipes and files without a name that the process has open; its sockets and timers are its own.
std::size_t unnamed_descriptors(pid_t pid) {
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    if (target.starts_with("pipe:") || target.ends_with(" (deleted)")) ++count;
  }
  return count;
}

}  // namespace

nlohmann::json vm_state(Guest& guest) {
  QmpClient qmp(guest.qmp());
  const std::string migration = qmp.execute("query-migrate").value("status", "none");
  const bool over = migration == "none" || migration == "completed" || migration == "failed" ||
                    migration == "cancelled";
  return {{"status", qmp.execute("query-status").at("status")},
          {"capabilities", qmp.execute("query-migrate-capabilities")},
          {"parameters", qmp.execute("query-migrate-parameters")},
          {"descriptor sets", qmp.execute("query-fdsets")},
          {"migration", over ? "none" : migration},
          {"unnamed descriptors", unnamed_descriptors(guest.pid())}};
}

}  // namespace vitrine::live
