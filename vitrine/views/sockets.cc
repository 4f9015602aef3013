#include "vitrine/views/sockets.h"

#include <algorithm>
#include <array>

namespace vitrine::views {
namespace {

using base::GuestVirtual;

bool is_inet(const Socket& socket) {
  return socket.family == kFamilyInet || socket.family == kFamilyInet6;
}

}  // namespace

constinit const std::array<Column, Sockets::kColumns> Sockets::kColumnDeclarations{{
    {"namespace", Type::integer, "the network namespace, as /proc/PID/ns/net numbers it"},
    {"netid", Type::text,
     "what it is, as ss names it: tcp, udp, udpl, raw; u_str, u_dgr, u_seq (Unix); nl (netlink); "
     "p_raw, p_dgr (packet); v_str, v_dgr (vsock); icmp, mptcp, …"},
    {"family", Type::text, "inet, inet6, unix, netlink, packet, vsock, …; or its number"},
    {"state", Type::text,
     "ESTAB, SYN-SENT, SYN-RECV, FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSE-WAIT, LAST-ACK, LISTEN, "
     "CLOSING or UNCONN, as ss says it"},
    {"recv_q", Type::integer,
     "bytes received and not yet read; of one that listens, connections not yet accepted; null "
     "where nothing can wait",
     true},
    {"send_q", Type::integer,
     "bytes sent and not yet acknowledged, or not yet taken; of one that listens, connections that "
     "may wait; null where nothing can wait",
     true},
    {"local_address", Type::text,
     "internet address; of a Unix socket, its path, or its abstract name with @ before it; of a "
     "netlink socket, the kernel's part that it talks to; null where it has none"},
    {"local_port", Type::integer, "port; of a netlink socket, its own; null where it has none"},
    {"remote_address", Type::text,
     "internet address, or path of the Unix socket at the other end; null where there is none"},
    {"remote_port", Type::integer, "port at the other end; null where there is none"},
    {"interface", Type::text, "the interface that it is bound to; null where it is not"},
    {"protocol", Type::integer,
     "of internet sockets, the IP protocol; of netlink, its protocol; of packet, the kind of "
     "frames as an EtherType (0: none)"},
    {"uid", Type::integer,
     "who made it, in the guest's initial user namespace; null of a connection that is only asked "
     "for or waits its time out"},
    {"inode", Type::integer,
     "number of the inode behind it, as in socket:[INODE]; null where no file is left"},
    {"peer_inode", Type::integer,
     "of a Unix socket, the inode at the other end; null where there is none"},
    {"pid", Type::integer, "the first process that has it open; null where none has"},
    {"comm", Type::text, "name of that process, at most 15 bytes"},
    {"fd", Type::integer, "its descriptor there"},
    {"owners", Type::integer, "descriptors of all processes that refer to it"},
    {"address", Type::address, "where the kernel keeps it"},
}};

std::span<const Column> Sockets::declared_columns() { return kColumnDeclarations; }

void Sockets::put_local(const Socket& socket, Row& row) {
  if (socket.kind == SocketKind::local) {
    if (!socket.path.empty()) row.values[kLocalAddress] = socket.path;
  } else if (socket.kind == SocketKind::netlink) {
    row.values[kLocalAddress] = netlink_protocol(socket.protocol);
    row.values[kLocalPort] = std::uint64_t{socket.local_port};
  } else if (is_inet(socket) && (socket.local_port != 0 || !socket.local.is_any())) {
    row.values[kLocalAddress] = text_of(socket.local, socket.family);
    // Of a raw socket, the place of the port holds the protocol.
    if (socket.kind != SocketKind::raw) row.values[kLocalPort] = std::uint64_t{socket.local_port};
  }
}

void Sockets::put_remote(const Socket& socket, Row& row) {
  if (socket.kind == SocketKind::local) {
    if (!socket.peer_path.empty()) row.values[kRemoteAddress] = socket.peer_path;
  } else if (socket.kind == SocketKind::netlink) {
    if (socket.remote_port != 0) row.values[kRemotePort] = std::uint64_t{socket.remote_port};
  } else if (is_inet(socket) && (socket.remote_port != 0 || !socket.remote.is_any())) {
    row.values[kRemoteAddress] = text_of(socket.remote, socket.family);
    if (socket.kind != SocketKind::raw) row.values[kRemotePort] = std::uint64_t{socket.remote_port};
  }
}

void Sockets::put_errors(const Socket& socket, Row& row) {
  constexpr std::array<std::pair<std::uint32_t, ColumnIndex>, 14> kOfParts{{
      {kPartNamespace, kNamespace},
      {kPartState, kState},
      {kPartFamily, kFamily},
      {kPartLocal, kLocalAddress},
      {kPartLocal, kLocalPort},
      {kPartRemote, kRemoteAddress},
      {kPartRemote, kRemotePort},
      {kPartInterface, kInterface},
      {kPartQueues, kReceiveQueue},
      {kPartQueues, kSendQueue},
      {kPartProtocol, kProtocol},
      {kPartUid, kUid},
      {kPartInode, kInode},
      {kPartPeer, kPeerInode},
  }};
  for (const auto& [part, column] : kOfParts) {
    if ((socket.unreadable & part) == 0) continue;
    row.values[column] = std::monostate{};
    row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::unreadable,
                          std::string(paging::name(socket.fault))});
  }
  if (socket.family != kFamilyVsock) return;
  for (const ColumnIndex column : {kLocalAddress, kLocalPort, kRemoteAddress, kRemotePort})
    row.errors.push_back({kColumnDeclarations.at(column).name, base::Code::unsupported,
                          "a module keeps the addresses of this family in structures of its own, "
                          "which are not read"});
}

base::Result<std::unique_ptr<View>> Sockets::attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory) {
  auto processes = Processes::attach(kernel, memory, {.threads = false, .command_lines = false});
  if (!processes) return processes;
  const auto operations = kernel.symbols.find("socket_file_ops");
  if (!operations)
    return base::fail(base::Code::unsupported,
                      "this kernel's kallsyms does not name socket_file_ops",
                      "the guest's kernel needs CONFIG_NET and CONFIG_KALLSYMS_ALL");
  Resolver at(kernel.types);
  auto namespaces = NetNamespaces::attach(kernel, at);
  if (!namespaces) return base::fail(namespaces.error());
  auto tables = SocketTables::attach(kernel, at);
  if (!tables) return base::fail(tables.error());
  Parts parts{.namespaces = std::move(*namespaces),
              .tables = *tables,
              .reader = SocketReader::attach(kernel.types, at),
              .descriptors = Descriptors::attach(at),
              .file = {.operations_of_sockets = *operations,
                       .operations = at("file", "f_op"),
                       .private_data = at("file", "private_data")}};
  if (at.error()) return base::fail(*at.error());
  return std::unique_ptr<View>(new Sockets(std::move(*processes), std::move(parts)));
}

Outcome Sockets::collect(Reader& reader) {
  Outcome outcome = processes_->collect(reader);
  return collect_rows(reader, std::move(outcome));
}

Outcome Sockets::collect_rows(Reader& reader, Outcome outcome) {
  sockets_.clear();
  parts_.reader.renew();
  parts_.descriptors.renew();
  if (!parts_.namespaces.read(reader)) {
    outcome.complete = false;
    outcome.warnings.emplace_back(
        "the list of network namespaces could not be followed to its end: it is damaged or changed "
        "while it was read");
  }
  read_tables(reader, outcome);
  read_owners(reader, outcome);
  name_interfaces(reader);
  return outcome;
}

void Sockets::read_tables(Reader& reader, Outcome& outcome) {
  found_.clear();
  parts_.tables.read(reader, parts_.namespaces.list(), found_, outcome);
  drop_repeated();
  sockets_.reserve(found_.size());
  for (const FoundSocket& found : found_) add(reader, found.at, found.kind);
}

// A socket that moved from one chain to another while they were read is found in both.
void Sockets::drop_repeated() {
  std::vector<std::pair<GuestVirtual, std::size_t>> places;
  places.reserve(found_.size());
  for (std::size_t i = 0; i < found_.size(); ++i) places.emplace_back(found_[i].at, i);
  std::ranges::sort(places);
  std::vector<std::size_t> repeated;
  for (std::size_t i = 1; i < places.size(); ++i)
    if (places[i].first == places[i - 1].first) repeated.push_back(places[i].second);
  if (repeated.empty()) return;
  std::ranges::sort(repeated);
  std::size_t index = 0;
  auto next = repeated.begin();
  std::erase_if(found_, [&](const FoundSocket&) {
    const bool drop = next != repeated.end() && *next == index;
    if (drop) ++next;
    ++index;
    return drop;
  });
}

void Sockets::add(Reader& reader, GuestVirtual at, SocketKind kind) {
  Socket& socket = sockets_.emplace_back();
  parts_.reader.read(reader, at, kind, socket);
  if ((socket.unreadable & kPartNamespace) == 0 &&
      !parts_.namespaces.number(reader, socket.name_space, socket.namespace_number)) {
    socket.unreadable |= kPartNamespace;
    socket.fault = reader.fault();
  }
}

void Sockets::read_owners(Reader& reader, Outcome& outcome) {
  index_by_file();
  for (std::size_t i = 0; i < processes().processes().size(); ++i) {
    if (read_owner(reader, i)) continue;
    outcome.complete = false;
    if (outcome.warnings.size() < kMaxWarnings)
      outcome.warnings.push_back("the open files of process " +
                                 std::to_string(processes().processes()[i].pid) +
                                 " could not all be read: it may own more sockets");
    if (parts_.descriptors.spent() || sockets_.size() >= SocketTables::kMaxSockets) break;
  }
}

void Sockets::index_by_file() {
  unlisted_.clear();
  by_file_.clear();
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    if (sockets_[i].socket.value != 0) by_file_.emplace_back(sockets_[i].socket, i);
  std::ranges::sort(by_file_);
}

// False where something is missing.
bool Sockets::read_owner(Reader& reader, std::size_t process) {
  bool whole = true;
  const auto take = [&](const Descriptor& descriptor) {
    GuestVirtual operations;
    GuestVirtual socket;
    if (!reader.load(descriptor.file + parts_.file.operations, operations.value)) {
      whole = false;
      return true;
    }
    if (operations != parts_.file.operations_of_sockets) return true;
    Socket* owner_of = nullptr;
    if (reader.load(descriptor.file + parts_.file.private_data, socket.value))
      owner_of = owned(reader, socket);
    if (owner_of == nullptr) {
      whole = false;
      return sockets_.size() < SocketTables::kMaxSockets;
    }
    if (owner_of->owners++ == 0) {
      owner_of->owner = process;
      owner_of->descriptor = descriptor.number;
    }
    return true;
  };
  return parts_.descriptors.each(reader, processes().processes()[process].task, take) && whole;
}

// The socket behind a file; read now where it is in no table. Null where it can't be read.
Socket* Sockets::owned(Reader& reader, GuestVirtual socket) {
  const auto listed =
      std::ranges::lower_bound(by_file_, socket, {}, &std::pair<GuestVirtual, std::size_t>::first);
  if (listed != by_file_.end() && listed->first == socket) return &sockets_[listed->second];
  const auto [known, is_new] = unlisted_.emplace(socket, sockets_.size());
  if (!is_new) return &sockets_[known->second];
  GuestVirtual sock;
  if (sockets_.size() >= SocketTables::kMaxSockets ||
      !parts_.reader.sock_of(reader, socket, sock) || sock.value == 0) {
    unlisted_.erase(known);
    return nullptr;
  }
  add(reader, sock, SocketKind::other);
  return &sockets_.back();
}

void Sockets::name_interfaces(Reader& reader) {
  for (Socket& socket : sockets_) {
    if (socket.interface == 0 || (socket.unreadable & kPartNamespace) != 0) continue;
    const std::string* name =
        parts_.namespaces.interface_name(reader, socket.name_space, socket.interface);
    // It may be gone: a number tells more than nothing.
    socket.interface_name = name != nullptr ? *name : std::to_string(socket.interface);
  }
}

Row Sockets::row(std::size_t index) const {
  const Socket& socket = sockets_[index];
  Row row;
  row.values.resize(kColumns);
  row.values[kNamespace] = std::uint64_t{socket.namespace_number};
  row.values[kNetid] = netid_of(socket);
  row.values[kFamily] = family_name(socket.family);
  row.values[kState] = std::string(state_of(socket));
  row.values[kProtocol] = std::uint64_t{socket.protocol};
  row.values[kAddress] = socket.at.value;
  put_local(socket, row);
  put_remote(socket, row);
  if (!socket.interface_name.empty()) row.values[kInterface] = socket.interface_name;
  if (socket.whole) {
    row.values[kReceiveQueue] = socket.receive_queue;
    row.values[kSendQueue] = socket.send_queue;
    row.values[kUid] = std::uint64_t{socket.uid};
  }
  if (socket.inode != 0) row.values[kInode] = socket.inode;
  if (socket.peer_inode != 0) row.values[kPeerInode] = socket.peer_inode;
  row.values[kOwners] = std::uint64_t{socket.owners};
  if (socket.owners != 0) {
    const Process& process = processes().processes()[socket.owner];
    row.values[kPid] = std::int64_t{process.pid};
    row.values[kComm] = std::string(name_of(process));
    row.values[kFd] = std::uint64_t{socket.descriptor};
  }
  put_errors(socket, row);
  return row;
}

}  // namespace vitrine::views
