// For tests: a debugger stub on a socket pair that answers as QEMU's does, of a made-up memory in
// which byte N holds N modulo 251.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/vmm/gdb_packet.h"

namespace vitrine::vmm::testing {

class FakeGdbStub {
 public:
  // What is sent for a request, framing included; nothing to let the client wait.
  using Answer = std::function<std::string(const std::string& request)>;

  FakeGdbStub() : FakeGdbStub([this](const std::string& request) { return as_qemu(request); }) {}
  explicit FakeGdbStub(Answer answer) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    client_ = base::FileDescriptor(ends[0]);
    server_ = base::FileDescriptor(ends[1]);
    thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
  }
  FakeGdbStub(const FakeGdbStub&) = delete;
  FakeGdbStub& operator=(const FakeGdbStub&) = delete;
  ~FakeGdbStub() {
    ::shutdown(server_.get(), SHUT_RDWR);
    thread_.join();
  }

  base::FileDescriptor client() { return std::move(client_); }
  bool physical_mode() const { return physical_; }

  std::string as_qemu(const std::string& request) {
    if (request == "qSupported") return gdb_packet("PacketSize=40;multiprocess+");
    if (request == "qqemu.PhyMemMode") return gdb_packet(physical_ ? "1" : "0");
    if (request.starts_with("Qqemu.PhyMemMode:")) {
      physical_ = request.ends_with('1');
      return gdb_packet("OK");
    }
    if (request.starts_with('m')) return gdb_packet(memory(request));
    return gdb_packet("");
  }

  static std::string memory(const std::string& request) {
    std::uint64_t address = 0;
    std::size_t size = 0;
    const char* const end = request.data() + request.size();
    const auto comma = std::from_chars(request.data() + 1, end, address, 16).ptr;
    std::from_chars(comma + 1, end, size, 16);
    if (size > 0x40 / 2) return "E22";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      constexpr const char* kDigits = "0123456789abcdef";
      const std::uint64_t byte = (address + i) % 251;
      text += {kDigits[byte / 16], kDigits[byte % 16]};
    }
    return text;
  }

 private:
  void serve(const Answer& answer) {
    GdbFramer framer(4096);
    char bytes[4096];
    while (true) {
      const ssize_t got = ::read(server_.get(), bytes, sizeof bytes);
      if (got <= 0) return;
      framer.feed({bytes, static_cast<std::size_t>(got)});
      while (true) {
        auto packet = framer.next();
        if (!packet || !*packet) break;
        const std::string reply = answer(**packet);
        if (::send(server_.get(), reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
      }
    }
  }

  base::FileDescriptor client_;
  base::FileDescriptor server_;
  std::atomic<bool> physical_ = false;
  std::thread thread_;
};

}  // namespace vitrine::vmm::testing
