#include "vitrine/vmm/gdb_stub.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <vector>

#include "vitrine/base/json.h"
#include "vitrine/vmm/pause.h"
#include "vitrine/vmm/qmp_socket.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::vmm {
namespace {

using base::Json;

constexpr std::string_view kOurs = "vitrine-gdb-";  // begins the names of our character devices
constexpr std::string_view kDisconnected = "disconnected:";
constexpr std::chrono::milliseconds kConnecting{1000};

struct CharacterDevice {
  std::string label;
  std::string filename;
};

base::Result<std::vector<CharacterDevice>> character_devices(Qmp& qmp) {
  const auto text = qmp.execute("query-chardev");
  if (!text) return base::fail(text.error());
  const Json list = base::parse_json(*text);
  std::vector<CharacterDevice> devices;
  if (!list.is_array()) return devices;
  for (const Json& device : list) {
    if (!device.is_object()) continue;
    const Json label = device.value("label", Json());
    const Json filename = device.value("filename", Json());
    if (label.is_string() && filename.is_string())
      devices.push_back({label.get<std::string>(), filename.get<std::string>()});
  }
  return devices;
}

// Names of the devices that we or an interrupted predecessor made.
base::Result<std::vector<std::string>> ours(Qmp& qmp) {
  const auto devices = character_devices(qmp);
  if (!devices) return base::fail(devices.error());
  std::vector<std::string> labels;
  for (const CharacterDevice& device : *devices)
    if (device.label.starts_with(kOurs)) labels.push_back(device.label);
  return labels;
}

base::Result<base::FileDescriptor> connect_to_port(std::uint16_t port) {
  base::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return base::fail_errno(errno, "socket", "cannot make a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string what = fmt::format("cannot connect to the debugger stub on port {}", port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return socket;
  if (errno != EINPROGRESS) return base::fail_errno(errno, "connect", what);
  pollfd poll{socket.get(), POLLOUT, 0};
  const int ready = ::poll(&poll, 1, static_cast<int>(kConnecting.count()));
  int error = 0;
  socklen_t size = sizeof error;
  if (ready != 1 || ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
      error != 0)
    return base::fail_errno(error, "connect", what);
  return socket;
}

base::Result<base::FileDescriptor> connect_to(const StubEndpoint& endpoint) {
  return endpoint.socket.empty() ? connect_to_port(endpoint.port)
                                 : connect(endpoint.socket, kConnecting);
}

// Opens a stub on one end of a pair of sockets and returns the other.
base::Result<base::FileDescriptor> open_ours(Qmp& qmp) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return base::fail_errno(errno, "socketpair", "cannot make a pair of sockets");
  base::FileDescriptor client(ends[0]);
  const base::FileDescriptor server(ends[1]);
  // A name of its own: one that an interrupted predecessor left may still be in use.
  const std::string label =
      fmt::format("{}{}", kOurs, std::chrono::steady_clock::now().time_since_epoch().count());
  auto handed = qmp.execute_with(server.get(), "getfd", Json{{"fdname", label}}.dump());
  if (!handed) return base::fail(handed.error());
  const Json socket = {{"addr", {{"type", "fd"}, {"data", {{"str", label}}}}}, {"server", false}};
  const Json device = {{"id", label}, {"backend", {{"type", "socket"}, {"data", socket}}}};
  if (auto added = qmp.execute("chardev-add", device.dump()); !added)
    return base::fail(added.error());
  const auto said = qmp.human_monitor("gdbserver chardev:" + label);
  if (!said) return base::fail(said.error());
  // It tells success and failure in words only.
  if (!said->starts_with("Waiting for gdb connection"))
    return base::fail(base::Code::unsupported, "QEMU opens no debugger stub: " + *said);
  return client;
}

base::Result<void> set_mode(base::Result<base::FileDescriptor> socket, bool physical) {
  if (!socket) return base::fail(socket.error());
  auto remote = GdbRemote::adopt(std::move(*socket));
  if (!remote) return base::fail(remote.error());
  return remote->set_physical_mode(physical);
}

// Lets the VM go on as it was, whatever came of what stopped it in between.
class RunStateKept {
 public:
  explicit RunStateKept(Qmp& qmp) : qmp_(qmp) {
    const auto state = run_state(qmp);
    ran_ = state && state->running;
  }
  ~RunStateKept() {
    if (ran_) (void)resume(qmp_, {});
  }
  RunStateKept(const RunStateKept&) = delete;
  RunStateKept& operator=(const RunStateKept&) = delete;

 private:
  Qmp& qmp_;
  bool ran_ = false;
};

bool gone(const base::Error& error) { return error.code == base::Code::gone; }

// Undo: closes the stub that was opened for us. An argument: the address mode to be set back first.
bool close_ours(Qmp& qmp, std::string_view mode) {
  const auto left = ours(qmp);
  if (!left) return gone(left.error());
  if (left->empty()) return true;  // never opened, or closed already
  const RunStateKept kept(qmp);
  // Replaces the stub that may be there, the connection of which is lost.
  if (!mode.empty() && !set_mode(open_ours(qmp), mode == "1")) return false;
  (void)qmp.human_monitor("gdbserver none");
  // One that no stub was opened on, or that was replaced before it was.
  const auto rest = ours(qmp);
  if (!rest) return gone(rest.error());
  for (const std::string& label : *rest)
    (void)qmp.execute("chardev-remove", Json{{"id", label}}.dump());
  const auto after = ours(qmp);
  return after && after->empty();
}

// Undo: sets the address mode of the VM's own stub back. The argument: "MODE PORT SOCKET".
bool set_back(Qmp& qmp, std::string_view argument) {
  const std::string text(argument);
  const std::size_t blank = text.find(' ', 2);
  StubEndpoint endpoint;
  std::from_chars(text.data() + 2, text.data() + text.size(), endpoint.port);
  endpoint.socket = text.substr(blank + 1);
  const RunStateKept kept(qmp);
  return set_mode(connect_to(endpoint), text.front() == '1').has_value();
}

}  // namespace

base::Result<StubEndpoint> parse_stub(std::string_view filename) {
  if (!filename.starts_with(kDisconnected))
    return base::fail(base::Code::unreadable, "another debugger holds the VM's debugger stub",
                      "disconnect that debugger");
  const std::string shown(filename.substr(kDisconnected.size()));
  std::string_view address = shown;
  address = address.substr(0, address.rfind(",server"));
  const bool abstract = address.find(",abstract=on") != address.npos;
  if (address.starts_with("unix:/") && !abstract)
    return StubEndpoint{std::string(address.substr(5)), 0};
  const std::size_t colon = address.rfind(':');
  std::uint16_t port = 0;
  const char* const end = address.data() + address.size();
  const char* const digits = colon == address.npos ? end : address.data() + colon + 1;
  const auto parsed = std::from_chars(digits, end, port);
  const bool number = parsed.ec == std::errc{} && parsed.ptr == end;
  if (address.starts_with("tcp:") && colon > 3 && number && port != 0) {
    const std::string_view host = address.substr(4, colon - 4);
    for (const std::string_view local :
         {"127.0.0.1", "localhost", "0.0.0.0", "::", "[::]", "*", ""})
      if (host == local) return StubEndpoint{{}, port};
  }
  return base::fail(base::Code::unsupported,
                    "the VM's debugger stub listens neither on the loopback interface nor on a "
                    "Unix socket but on " +
                        shown,
                    "close it with the monitor's `gdbserver none`");
}

base::Result<std::optional<StubEndpoint>> existing_stub(Qmp& qmp, const Machine& machine,
                                                        const host::ProcRoot& proc) {
  const auto devices = character_devices(qmp);
  if (!devices) return base::fail(devices.error());
  constexpr std::string_view kChardev = "chardev:";
  const std::string& given = machine.command_line.debugger;
  const std::string label = given.starts_with(kChardev) ? given.substr(kChardev.size()) : "gdb";
  for (const CharacterDevice& device : *devices) {
    if (device.label.starts_with(kOurs))
      return base::fail(base::Code::unreadable,
                        "another observer of this kind holds the VM's debugger stub",
                        "wait until it has ended");
    if (device.label != label) continue;
    auto endpoint = parse_stub(device.filename);
    if (!endpoint) return base::fail(endpoint.error());
    if (endpoint->socket.empty()) {
      const auto theirs = host::read_link(proc.of(machine.process.pid, "ns/net"));
      const auto mine = host::read_link(proc.of("self/ns/net"));
      if (!theirs || !mine || *theirs != *mine)
        return base::fail(base::Code::unsupported,
                          "the VM's debugger stub listens in another network namespace",
                          "run there, with nsenter");
      return std::optional(std::move(*endpoint));
    }
    auto reached = locate({endpoint->socket, {}, "debugger stub"}, machine.process.pid, proc);
    if (!reached)
      return base::fail(
          base::Code::absent,
          "the socket of the VM's debugger stub cannot be reached: " + endpoint->socket);
    return std::optional(StubEndpoint{reached->path, 0});
  }
  return std::optional<StubEndpoint>{};
}

base::Result<GdbStub> GdbStub::open(Intervention& intervention, const Machine& machine) {
  auto existing = existing_stub(intervention.qmp(), machine);
  if (!existing) return base::fail(existing.error());
  Change opened;
  if (!*existing) {
    auto noted = intervention.note(&close_ours);
    if (!noted) return base::fail(noted.error());
    opened = std::move(*noted);
  }
  auto socket = *existing ? connect_to(**existing) : open_ours(intervention.qmp());
  if (!socket) return base::fail(socket.error());
  auto remote = GdbRemote::adopt(std::move(*socket));
  if (!remote) return base::fail(remote.error());
  GdbStub stub(std::move(*remote), std::move(opened));
  const auto mode = stub.remote_.physical_mode();
  if (!mode) return base::fail(mode.error());
  if (*mode) return stub;
  auto noted = *existing ? intervention.note(&set_back, fmt::format("0 {} {}", (*existing)->port,
                                                                    (*existing)->socket))
                         : intervention.note(&close_ours, "0");
  if (!noted) return base::fail(noted.error());
  stub.mode_ = std::move(*noted);
  if (auto set = stub.remote_.set_physical_mode(true); !set) return base::fail(set.error());
  return stub;
}

base::Result<void> GdbStub::close(GdbStub stub) {
  {
    // Closes the connection: undoing makes one of its own.
    const GdbRemote closed = std::move(stub.remote_);
  }
  auto mode = stub.mode_.undo();
  auto opened = stub.opened_.undo();
  return mode ? opened : mode;
}

}  // namespace vitrine::vmm
