// Network namespaces and sockets of a synthetic guest, in the kernel's tables and behind files.
//
// Thread contract: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

#include "tests/synthetic/files.h"
#include "tests/synthetic/kernel.h"

namespace vitrine::synthetic {

class Sockets {
 public:
  // One namespace, the first, and empty tables.
  explicit Sockets(Kernel& kernel);

  GuestVirtual first_namespace() const { return first_; }
  GuestVirtual add_namespace(std::uint32_t number);
  // struct net_device.
  GuestVirtual add_interface(GuestVirtual name_space, const std::string& name, std::uint32_t index);

  // Sockets of a namespace, in their table. Addresses are of the loopback.
  GuestVirtual listener(GuestVirtual name_space, std::uint16_t port);
  GuestVirtual connection(GuestVirtual name_space, std::uint16_t port, std::uint16_t remote_port,
                          std::uint8_t state = 1);
  GuestVirtual udp(GuestVirtual name_space, std::uint16_t port);
  GuestVirtual raw(GuestVirtual name_space, std::uint16_t protocol);
  GuestVirtual local(GuestVirtual name_space, const std::string& path, std::uint16_t type = 1);
  GuestVirtual netlink(GuestVirtual name_space, std::uint16_t protocol, std::uint32_t port);
  GuestVirtual packet(GuestVirtual name_space, std::uint32_t interface);
  // In no table.
  GuestVirtual made(GuestVirtual name_space, const std::string& structure, std::uint16_t family,
                    std::uint16_t type, std::uint16_t protocol);
  // A message of so many bytes, waiting in a Unix socket; struct sk_buff.
  GuestVirtual message(GuestVirtual socket, std::uint32_t length);

  // struct socket, with an inode, behind a socket.
  GuestVirtual file_behind(GuestVirtual socket, std::uint64_t inode);
  // Opens it as the next descriptor of a process that has files; struct file.
  GuestVirtual open(Files& files, int pid, GuestVirtual socket);

  void set(GuestVirtual socket, const std::string& member, std::uint64_t value);
  // The head of the chain that a port's connections are in.
  GuestVirtual chain_of(std::uint16_t port) const;

 private:
  void link(GuestVirtual head, GuestVirtual node);

  Kernel& kernel_;
  GuestVirtual first_, established_, listening_, udp_, netlink_;
};

}  // namespace vitrine::synthetic
