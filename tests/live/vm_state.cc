#include "tests/live/vm_state.h"

#include "tests/live/stub_state.h"

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

nlohmann::json named_devices(QmpClient& qmp) {
  nlohmann::json devices = nlohmann::json::object();
  for (const auto& device : qmp.execute("query-chardev")) {
    const std::string label = device.at("label");
    if (!label.starts_with('#')) devices[label] = device.at("filename");
  }
  return devices;
}

}  // namespace

nlohmann::json vm_state(QmpClient& qmp, const Guest& guest) {
  const std::string migration = qmp.execute("query-migrate").value("status", "none");
  const bool over = migration == "none" || migration == "completed" || migration == "failed" ||
                    migration == "cancelled";
  return {{"status", qmp.execute("query-status").at("status")},
          {"capabilities", qmp.execute("query-migrate-capabilities")},
          {"parameters", qmp.execute("query-migrate-parameters")},
          {"descriptor sets", qmp.execute("query-fdsets")},
          {"devices", named_devices(qmp)},
          {"migration", over ? "none" : migration},
          {"unnamed descriptors", unnamed_descriptors(guest.pid())}};
}

nlohmann::json vm_state(const Guest& guest) {
  QmpClient qmp(guest.qmp());
  nlohmann::json state = vm_state(qmp, guest);
  state["stub reads physical memory"] = physical_mode(qmp, guest);
  return state;
}

}  // namespace vitrine::live
