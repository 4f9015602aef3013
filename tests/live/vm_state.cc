#include "tests/live/vm_state.h"

#include <thread>

#include "tests/live/stub_state.h"
#include "vitrine/host/process.h"

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

// Threads that somebody traces. What let the VMM go on does so thread by thread: a moment's
// patience.
std::vector<pid_t> traced_threads(pid_t pid) {
  std::vector<pid_t> traced;
  for (int i = 0; i < 100; ++i) {
    traced.clear();
    for (const pid_t thread : host::threads(pid)) {
      const auto status = host::read_file(host::ProcRoot().of(thread, "status"));
      if (status && host::status_number(*status, "TracerPid").value_or(0) != 0)
        traced.push_back(thread);
    }
    if (traced.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return traced;
}

// Children of its threads, zombies included; those of a copy that was just given up have a moment.
std::string children(pid_t pid) {
  std::string all;
  for (int i = 0; i < 300; ++i) {
    all.clear();
    for (const pid_t thread : host::threads(pid))
      all +=
          host::read_file(host::ProcRoot{host::ProcRoot().of(pid, "task")}.of(thread, "children"))
              .value_or("");
    if (all.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return all;
}

// Other processes that run the same command line: copies of it. Those that were just given up have
// a moment.
std::vector<pid_t> copies(pid_t pid) {
  std::vector<pid_t> found;
  const auto arguments_of = [](pid_t process) {
    return host::arguments(process).value_or(std::vector<std::string>{});
  };
  const std::vector<std::string> arguments = arguments_of(pid);
  for (int i = 0; i < 300; ++i) {
    found.clear();
    for (const pid_t other : host::processes())
      if (other != pid && !arguments.empty() && arguments_of(other) == arguments)
        found.push_back(other);
    if (found.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return found;
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
          {"unnamed descriptors", unnamed_descriptors(guest.pid())},
          {"traced threads", traced_threads(guest.pid())},
          {"children", children(guest.pid())},
          {"copies", copies(guest.pid())}};
}

nlohmann::json vm_state(const Guest& guest) {
  QmpClient qmp(guest.qmp());
  nlohmann::json state = vm_state(qmp, guest);
  state["stub reads physical memory"] = physical_mode(qmp, guest);
  return state;
}

}  // namespace vitrine::live
