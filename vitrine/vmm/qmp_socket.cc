#include "vitrine/vmm/qmp_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <thread>
#include <vector>

namespace vitrine::vmm {
namespace {

// One line of /proc/net/unix: "NUM: REFCOUNT PROTOCOL FLAGS TYPE STATE INODE PATH".
struct UnixSocket {
  std::string_view state;
  std::string_view inode;
  std::string_view path;
};

std::vector<UnixSocket> unix_sockets(std::string_view text) {
  std::vector<UnixSocket> list;
  while (!text.empty()) {
    const auto line_end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, line_end);
    text.remove_prefix(std::min(line_end + 1, text.size()));
    std::string_view fields[7];
    for (std::string_view& field : fields) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      field = line.substr(0, line.find(' '));
      line.remove_prefix(field.size());
    }
    line.remove_prefix(std::min<std::size_t>(1, line.size()));
    list.push_back({fields[5], fields[6], line});
  }
  return list;
}

base::Result<std::string> read_unix_sockets(pid_t pid, const host::ProcRoot& proc) {
  return host::read_file(proc.of(pid, "net/unix"), 16 << 20);
}

std::optional<std::string> path_of_descriptor(int fd, pid_t pid, const host::ProcRoot& proc) {
  const auto link = host::read_link(proc.of(pid, fmt::format("fd/{}", fd)));
  constexpr std::string_view kPrefix = "socket:[";
  if (!link || !link->starts_with(kPrefix) || !link->ends_with(']')) return std::nullopt;
  const std::string inode = link->substr(kPrefix.size(), link->size() - kPrefix.size() - 1);
  const auto text = read_unix_sockets(pid, proc);
  if (!text) return std::nullopt;
  for (const UnixSocket& socket : unix_sockets(*text)) {
    if (socket.inode == inode && socket.path.starts_with('/')) return std::string(socket.path);
  }
  return std::nullopt;
}

bool is_socket(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISSOCK(about.st_mode);
}

bool same_mount_namespace(pid_t pid, const host::ProcRoot& proc) {
  const auto theirs = host::read_link(proc.of(pid, "ns/mnt"));
  const auto ours = host::read_link(proc.of("self/ns/mnt"));
  const auto root = host::read_link(proc.of(pid, "root"));
  // Who may not know, but may open the socket, gets it where it usually is.
  if (!theirs) return theirs.error().code == base::Code::denied;
  return ours && *theirs == *ours && root && *root == "/";
}

std::string file_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

bool set_address(sockaddr_un& address, const std::string& path) {
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return true;
}

}  // namespace

std::optional<QmpEndpoint> locate(const MonitorSocket& monitor, pid_t pid,
                                  const host::ProcRoot& proc) {
  std::string path = monitor.path;
  if (monitor.fd) {
    const auto found = path_of_descriptor(*monitor.fd, pid, proc);
    if (!found) return std::nullopt;
    path = *found;
  }
  if (path.empty()) return std::nullopt;
  std::vector<std::string> ways;
  if (!path.starts_with('/')) {
    ways.push_back(proc.of(pid, "cwd/" + path));
  } else {
    // The same path may name another VM's socket outside of the VMM's mount namespace.
    if (same_mount_namespace(pid, proc)) ways.push_back(path);
    ways.push_back(proc.of(pid, "root" + path));
  }
  for (const std::string& way : ways) {
    if (is_socket(way)) return QmpEndpoint{way, path, monitor.found};
  }
  return std::nullopt;
}

bool has_client(const QmpEndpoint& endpoint, pid_t pid, const host::ProcRoot& proc) {
  constexpr std::string_view kConnected = "03";
  constexpr std::string_view kNotAccepted = "0";
  const auto text = read_unix_sockets(pid, proc);
  if (!text) return false;
  for (const UnixSocket& socket : unix_sockets(*text)) {
    if (socket.state == kConnected && socket.path == endpoint.shown &&
        socket.inode != kNotAccepted) {
      return true;
    }
  }
  return false;
}

base::Result<base::FileDescriptor> connect(const std::string& path,
                                           std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  base::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return base::fail_errno(errno, "socket", "cannot make a socket");
  sockaddr_un address{};
  base::FileDescriptor folder;
  if (!set_address(address, path)) {
    // An address holds 107 bytes: go by the folder instead.
    const std::string parent = path.substr(0, path.find_last_of('/') + 1);
    folder = base::FileDescriptor(
        ::open(parent.empty() ? "." : parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid())
      return base::fail_errno(errno, "open", "cannot open the folder of " + path);
    if (!set_address(address, fmt::format("/proc/self/fd/{}/{}", folder.get(), file_name(path)))) {
      return base::fail(base::Code::unsupported, "the socket's name is too long: " + path);
    }
  }
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
         0) {
    if (errno == ECONNREFUSED || errno == ENOENT) {
      return base::fail(base::Code::absent, "nobody listens on " + path);
    }
    if (errno != EAGAIN && errno != EINTR) {
      return base::fail_errno(errno, "connect", "cannot connect to " + path);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return base::fail(base::Code::timeout,
                        "the QMP socket " + path + " is busy: other clients wait for it already",
                        "disconnect the client that holds it");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return socket;
}

}  // namespace vitrine::vmm
