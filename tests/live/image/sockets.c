// Sockets of every family and in every state that a test can bring about over loopback, held open
// by two processes that then sleep: what they do not hold, the kernel alone knows.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "guest_tool.h"

static int open_socket(int family, int type, int protocol) {
  int made = socket(family, type, protocol);
  if (made < 0) fail("socket");
  return made;
}

static void bind_to(int made, const void* address, size_t length) {
  if (bind(made, address, (socklen_t)length) != 0) fail("bind");
}

static void connect_to(int made, const void* address, size_t length) {
  if (connect(made, address, (socklen_t)length) != 0) fail("connect");
}

static void send_bytes(int to, size_t count) {
  static const char bytes[64] = {0};
  if (send(to, bytes, count, 0) != (ssize_t)count) fail("send");
}

static struct sockaddr_in inet_at(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons((unsigned short)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct sockaddr_in6 inet6_at(const char* address, int port) {
  struct sockaddr_in6 made = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)port)};
  if (inet_pton(AF_INET6, address, &made.sin6_addr) != 1) fail(address);
  return made;
}

static int listen_at(int port, int backlog, int deferring) {
  struct sockaddr_in at = inet_at(port);
  int seconds = 100, listener = open_socket(AF_INET, SOCK_STREAM, 0);
  if (deferring) setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
  bind_to(listener, &at, sizeof at);
  if (listen(listener, backlog) != 0) fail("listen");
  return listener;
}

static int connect_at(int port) {
  struct sockaddr_in at = inet_at(port);
  int client = open_socket(AF_INET, SOCK_STREAM, 0);
  connect_to(client, &at, sizeof at);
  return client;
}

static int accept_of(int listener) {
  int made = accept(listener, NULL, NULL);
  if (made < 0) fail("accept");
  return made;
}

// Ports 7001 to 7004.
static void tcp(void) {
  int listener = listen_at(7001, 5, 0);
  send_bytes(connect_at(7001), 5);  // and is not read
  accept_of(listener);
  connect_at(7001);  // two are not accepted
  connect_at(7001);

  int brief = listen_at(7002, 5, 0), client = connect_at(7002), server = accept_of(brief);
  close(client);  // the one that closes first waits its time out
  usleep(100000);
  close(server);
  client = connect_at(7002);
  accept_of(brief);
  close(client);  // and the other end stays half open

  listen_at(7003, 5, 1);
  connect_at(7003);  // sends nothing: the listener waits for more than the handshake

  listen_at(7004, 0, 0);
  connect_at(7004);
  int waiting = open_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = inet_at(7004);
  connect(waiting, (struct sockaddr*)&at, sizeof at);  // gets no answer
  open_socket(AF_INET, SOCK_STREAM, 0);                // never used
}

// Port 7005, from an address of IPv4 and one of IPv6.
static void tcp6(void) {
  int listener = open_socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 any = inet6_at("::", 7005), own = inet6_at("::1", 7005);
  bind_to(listener, &any, sizeof any);
  if (listen(listener, 7) != 0) fail("listen");
  connect_at(7005);
  accept_of(listener);
  connect_to(open_socket(AF_INET6, SOCK_STREAM, 0), &own, sizeof own);
  accept_of(listener);
}

// Ports 7006 and 7007.
static void datagrams(void) {
  struct sockaddr_in at = inet_at(7006);
  struct sockaddr_in6 own = inet6_at("::1", 7007);
  int bound = open_socket(AF_INET, SOCK_DGRAM, 0), connected = open_socket(AF_INET, SOCK_DGRAM, 0);
  if (setsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) != 0) fail("SO_BINDTODEVICE");
  bind_to(bound, &at, sizeof at);
  connect_to(connected, &at, sizeof at);
  send_bytes(connected, 20);
  bind_to(open_socket(AF_INET6, SOCK_DGRAM, 0), &own, sizeof own);
  open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  connect_to(open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), &at, sizeof at);
  open_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
}

static struct sockaddr_un unix_at(const char* name, int abstract, size_t* length) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  int count = snprintf(at.sun_path, sizeof at.sun_path, "%s%s", abstract ? "@" : "/tmp/", name);
  if (abstract) at.sun_path[0] = '\0';
  *length = offsetof(struct sockaddr_un, sun_path) + (size_t)count + (abstract ? 0 : 1);
  return at;
}

static int unix_socket(int type, const char* prefix, const char* name, int abstract) {
  char whole[64];
  size_t length;
  snprintf(whole, sizeof whole, "%s-%s", prefix, name);
  struct sockaddr_un at = unix_at(whole, abstract, &length);
  int made = open_socket(AF_UNIX, type, 0);
  bind_to(made, &at, length);
  return made;
}

static int unix_client(int type, const char* prefix, const char* name, int abstract) {
  char whole[64];
  size_t length;
  snprintf(whole, sizeof whole, "%s-%s", prefix, name);
  struct sockaddr_un at = unix_at(whole, abstract, &length);
  int made = open_socket(AF_UNIX, type, 0);
  connect_to(made, &at, length);
  return made;
}

static void local(const char* prefix) {
  int listener = unix_socket(SOCK_STREAM, prefix, "stream", 0), pair[2];
  if (listen(listener, 9) != 0) fail("listen");
  int client = unix_client(SOCK_STREAM, prefix, "stream", 0);
  accept_of(listener);
  send_bytes(client, 11);
  send_bytes(client, 6);
  unix_client(SOCK_STREAM, prefix, "stream", 0);  // is not accepted
  unix_socket(SOCK_DGRAM, prefix, "datagrams", 1);
  client = unix_client(SOCK_DGRAM, prefix, "datagrams", 1);
  send_bytes(client, 13);
  send_bytes(client, 17);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) fail("socketpair");
}

static void links(void) {
  struct sockaddr_nl any = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
  bind_to(open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), &any, sizeof any);
  open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);  // gets no port
  struct sockaddr_ll lo = {.sll_family = AF_PACKET,
                           .sll_protocol = htons(ETH_P_IPV6),
                           .sll_ifindex = (int)if_nametoindex("lo")};
  bind_to(open_socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IPV6)), &lo, sizeof lo);
  open_socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ARP));
  struct sockaddr_in6 own = inet6_at("::1", 7007);
  int client = open_socket(AF_INET6, SOCK_DGRAM, 0);
  connect_to(client, &own, sizeof own);
  send_bytes(client, 20);  // which is seen on the link, too
}

static void open_all(const char* prefix) {
  tcp();
  tcp6();
  datagrams();
  local(prefix);
  links();
}

int sockets(const char* prefix) {
  int ready[2], nothing = open("/dev/null", O_RDWR);
  char byte;
  if (pipe(ready) != 0) fail("pipe");
  pid_t first = fork();
  if (first < 0) fail("fork");
  if (first > 0) {
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) fail("the sockets could not be opened");
    printf("%d", first);
    return 0;
  }
  close(ready[0]);
  open_all(prefix);
  pid_t second = fork();
  if (second < 0) fail("fork");
  for (int i = 0; i < 3; ++i) dup2(nothing, i);  // so that nobody waits for its output's end
  if (second > 0 && write(ready[1], "", 1) != 1) fail("write");
  close(ready[1]);
  close(nothing);
  for (;;) pause();
}
