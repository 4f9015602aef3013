// The guest's sockets of every family and network namespace, named after ss: one row per socket,
// whether a process has it open or the kernel alone still knows it.
//
// Found in two ways that complete each other: in the kernel's own tables (socket_tables.h), and by
// the files that processes have open, which tell who owns a socket and lead to those that are in no
// table, since they were never bound or connected.
//
// Thread contract: one thread at a time per object.
// Cost: that of the process list and the tables, 2 loads an open file, some 25 a socket.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/views/descriptors.h"
#include "vitrine/views/net_namespaces.h"
#include "vitrine/views/processes.h"
#include "vitrine/views/reader.h"
#include "vitrine/views/socket_reader.h"
#include "vitrine/views/socket_tables.h"

namespace vitrine::views {

class Sockets final : public View {
 public:
  // Errors: the member or symbol that is missing.
  static base::Result<std::unique_ptr<View>> attach(const kernel::Kernel& kernel,
                                                    memory::PhysicalMemory& memory);

  static std::span<const Column> declared_columns();

  std::string_view name() const override { return "sockets"; }
  std::span<const Column> columns() const override { return declared_columns(); }
  Outcome collect(Reader& reader) override;
  std::size_t size() const override { return sockets_.size(); }
  Row row(std::size_t index) const override;

 private:
  enum ColumnIndex : unsigned {
    kNamespace,
    kNetid,
    kFamily,
    kState,
    kReceiveQueue,
    kSendQueue,
    kLocalAddress,
    kLocalPort,
    kRemoteAddress,
    kRemotePort,
    kInterface,
    kProtocol,
    kUid,
    kInode,
    kPeerInode,
    kPid,
    kComm,
    kFd,
    kOwners,
    kAddress,
    kColumns
  };
  static const std::array<Column, kColumns> kColumnDeclarations;

  // What tells the file of a socket from others (fs.h).
  struct FileFields {
    base::GuestVirtual operations_of_sockets;
    std::uint32_t operations = 0, private_data = 0;
  };

  // The parts that find and read sockets.
  struct Parts {
    NetNamespaces namespaces;
    SocketTables tables;
    SocketReader reader;
    Descriptors descriptors;
    FileFields file;
  };

  Sockets(std::unique_ptr<View> processes, Parts parts)
      : processes_(std::move(processes)), parts_(std::move(parts)) {}

  const Processes& processes() const { return static_cast<const Processes&>(*processes_); }

  Outcome collect_rows(Reader& reader, Outcome outcome);
  void read_tables(Reader& reader, Outcome& outcome);
  void add(Reader& reader, base::GuestVirtual at, SocketKind kind);
  void read_owners(Reader& reader, Outcome& outcome);
  bool read_owner(Reader& reader, std::size_t process);
  Socket* owned(Reader& reader, base::GuestVirtual socket);
  void name_interfaces(Reader& reader);
  void drop_repeated();
  void index_by_file();
  static void put_local(const Socket& socket, Row& row);
  static void put_remote(const Socket& socket, Row& row);
  static void put_errors(const Socket& socket, Row& row);

  std::unique_ptr<View> processes_;
  Parts parts_;
  std::vector<FoundSocket> found_;
  std::vector<Socket> sockets_;
  // struct socket and place in sockets_, sorted: of those from the tables, and of those found
  // since.
  std::vector<std::pair<base::GuestVirtual, std::size_t>> by_file_;
  std::map<base::GuestVirtual, std::size_t> unlisted_;
};

}  // namespace vitrine::views
