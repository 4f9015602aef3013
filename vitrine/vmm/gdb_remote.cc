#include "vitrine/vmm/gdb_remote.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <vector>

namespace vitrine::vmm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestPacket = 64 << 10;
// What is on its way at once. Their replies have to fit into the socket: QEMU's main loop waits
// where they don't, and with it the VM, should this process be stopped in the meantime.
constexpr std::size_t kBytesInFlight = 64 << 10;
constexpr std::size_t kPacketsInFlight = 64;

// Stop replies come when the guest stops, asked or not; replies to reads are lower-case digits.
bool unasked(std::string_view packet) {
  return packet.starts_with('T') || packet.starts_with('S') || packet.starts_with('W') ||
         packet.starts_with('X');
}

}  // namespace

GdbRemote::GdbRemote(base::FileDescriptor socket, const GdbLimits& limits)
    : socket_(std::move(socket)), limits_(limits), framer_(kLargestPacket) {}

base::Result<GdbRemote> GdbRemote::adopt(base::FileDescriptor socket, const GdbLimits& limits) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0)
    return base::fail_errno(errno, "fcntl", "cannot use the debugger stub's socket");
  GdbRemote remote(std::move(socket), limits);
  remote.limits_.reply = limits.greeting;
  const auto supported = remote.ask("qSupported");
  remote.limits_.reply = limits.reply;
  if (!supported) return base::fail(supported.error());
  remote.learn_packet_size(*supported);
  return remote;
}

// "PacketSize=1000;…": hexadecimal, of a packet's data.
void GdbRemote::learn_packet_size(std::string_view supported) {
  constexpr std::string_view kLabel = "PacketSize=";
  constexpr std::size_t kSmallest = 64;
  const auto at = supported.find(kLabel);
  if (at == supported.npos) return;
  std::size_t size = 0;
  const char* const digits = supported.data() + at + kLabel.size();
  const auto parsed = std::from_chars(digits, supported.data() + supported.size(), size, 16);
  if (parsed.ec == std::errc{}) packet_bytes_ = std::clamp(size, kSmallest, kLargestPacket);
}

base::Result<void> GdbRemote::wait(short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0)
      return base::fail(base::Code::timeout, "the VM's debugger stub does not answer",
                        "disconnect a debugger that holds it");
    pollfd poll{socket_.get(), events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(std::min<long long>(left, INT_MAX)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR)
      return base::fail_errno(errno, "poll", "cannot wait for the debugger stub");
  }
}

base::Result<void> GdbRemote::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
    } else if (errno != EINTR) {
      return base::fail(base::Code::gone, "the VMM closed the debugger stub's connection");
    }
  }
  return {};
}

base::Result<std::string> GdbRemote::receive(Deadline deadline) {
  std::array<char, 64 << 10> bytes;
  while (true) {
    auto packet = framer_.next();
    if (!packet) return base::fail(packet.error());
    if (*packet && unasked(**packet)) continue;
    if (*packet) return std::move(**packet);
    if (auto ready = wait(POLLIN, deadline); !ready) return base::fail(ready.error());
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got > 0) {
      framer_.feed({bytes.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return base::fail(base::Code::gone, "the VMM closed the debugger stub's connection");
    }
  }
}

// Exactly one, for the exchange's last reply: QEMU waits for it and so takes it for nothing else,
// even where the guest runs again when it arrives.
base::Result<void> GdbRemote::acknowledge(Deadline deadline) { return send("+", deadline); }

base::Result<std::string> GdbRemote::ask(std::string_view request) {
  if (broken_) return base::fail(base::Code::gone, "the debugger stub's connection failed before");
  broken_ = true;
  const Deadline deadline = Clock::now() + limits_.reply;
  if (auto sent = send(gdb_packet(request), deadline); !sent) return base::fail(sent.error());
  auto reply = receive(deadline);
  if (!reply) return reply;
  if (auto sent = acknowledge(deadline); !sent) return base::fail(sent.error());
  broken_ = false;
  return reply;
}

base::Result<bool> GdbRemote::physical_mode() {
  const auto mode = ask("qqemu.PhyMemMode");
  if (!mode) return base::fail(mode.error());
  if (*mode == "0" || *mode == "1") return *mode == "1";
  return base::fail(base::Code::unsupported,
                    "this VMM's debugger stub cannot read guest-physical memory",
                    "use QEMU 5.0 or later, or another technique");
}

base::Result<void> GdbRemote::set_physical_mode(bool on) {
  const auto reply = ask(on ? "Qqemu.PhyMemMode:1" : "Qqemu.PhyMemMode:0");
  if (!reply) return base::fail(reply.error());
  if (*reply == "OK") return {};
  return base::fail(base::Code::unsupported,
                    "this VMM's debugger stub does not change to guest-physical memory",
                    "use QEMU 5.0 or later, or another technique");
}

void GdbRemote::read(std::span<memory::ReadRequest> requests) {
  std::vector<Part> parts;
  for (memory::ReadRequest& request : requests) {
    request.status = memory::ReadStatus::ok;
    for (std::size_t at = 0; at < request.into.size(); at += bytes_per_packet())
      parts.push_back({&request, at, std::min(bytes_per_packet(), request.into.size() - at)});
  }
  const std::size_t window =
      std::clamp<std::size_t>(kBytesInFlight / packet_bytes_, 1, kPacketsInFlight);
  for (std::size_t at = 0; at < parts.size(); at += window) {
    const auto batch = std::span(parts).subspan(at, std::min(window, parts.size() - at));
    if (!broken_ && fetch(batch)) continue;
    for (const Part& part : std::span(parts).subspan(at))
      part.request->status = memory::ReadStatus::failed;
    return;
  }
}

// The error is of the connection; what the stub refuses to read shows in the request's status.
base::Result<void> GdbRemote::fetch(std::span<const Part> parts) {
  broken_ = true;
  const Deadline deadline = Clock::now() + limits_.reply;
  std::string packets;
  for (const Part& part : parts)
    packets +=
        gdb_packet(fmt::format("m{:x},{:x}", part.request->address.value + part.offset, part.size));
  if (auto sent = send(packets, deadline); !sent) return sent;
  for (const Part& part : parts) {
    const auto reply = receive(deadline);
    if (!reply) return base::fail(reply.error());
    if (!decode_hex(*reply, part.request->into.subspan(part.offset, part.size)))
      part.request->status = memory::ReadStatus::failed;
  }
  if (auto sent = acknowledge(deadline); !sent) return sent;
  broken_ = false;
  return {};
}

}  // namespace vitrine::vmm
