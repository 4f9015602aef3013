#include "tests/live/stub_state.h"

#include <stdexcept>

#include "vitrine/vmm/gdb_remote.h"
#include "vitrine/vmm/qmp_socket.h"

namespace vitrine::live {
namespace {

template <class Ask>
auto with_stub(QmpClient& qmp, const std::filesystem::path& path, Ask ask) {
  const bool ran = qmp.execute("query-status").at("running");
  auto socket = vmm::connect(path.string(), std::chrono::seconds(5));
  if (!socket) throw std::runtime_error(to_string(socket.error()));
  auto answer = [&] {
    auto remote = vmm::GdbRemote::adopt(std::move(*socket));
    if (!remote) throw std::runtime_error(to_string(remote.error()));
    return ask(*remote);
  }();
  if (ran) qmp.execute("cont");
  if (!answer) throw std::runtime_error(to_string(answer.error()));
  return answer;
}

nlohmann::json monitor(QmpClient& qmp, const std::string& command) {
  return qmp.execute("human-monitor-command", {{"command-line", command}});
}

}  // namespace

bool physical_mode(QmpClient& qmp, const std::filesystem::path& stub) {
  return *with_stub(qmp, stub, [](vmm::GdbRemote& remote) { return remote.physical_mode(); });
}

bool physical_mode(QmpClient& qmp, const Guest& guest) {
  const std::filesystem::path path = guest.folder() / "asked";
  monitor(qmp, "gdbserver unix:" + path.string() + ",server=on,wait=off");
  const bool mode = physical_mode(qmp, path);
  monitor(qmp, "gdbserver none");
  return mode;
}

void set_physical_mode(QmpClient& qmp, const std::filesystem::path& stub, bool physical) {
  with_stub(qmp, stub,
            [physical](vmm::GdbRemote& remote) { return remote.set_physical_mode(physical); });
}

}  // namespace vitrine::live
