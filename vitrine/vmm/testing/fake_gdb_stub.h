// For tests: a debugger stub on a socket pair that answers as QEMU's does, of a made-up memory in
// which byte N holds N modulo 251.
#pragma once

#include <atomic>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>

#include "vitrine/vmm/gdb_packet.h"
#include "vitrine/vmm/testing/socket_server.h"

namespace vitrine::vmm::testing {

class FakeGdbStub {
 public:
  // What is sent for a request, framing included; nothing to let the client wait.
  using Answer = std::function<std::string(const std::string& request)>;

  FakeGdbStub() : FakeGdbStub([this](const std::string& request) { return as_qemu(request); }) {}
  explicit FakeGdbStub(Answer answer)
      : server_("", [answer = std::move(answer), framer = GdbFramer(4096)](
                        std::string_view bytes, const SocketServer::Send& send) mutable {
          framer.feed(bytes);
          for (auto packet = framer.next(); packet && *packet; packet = framer.next())
            send(answer(**packet));
          return true;
        }) {}

  base::FileDescriptor client() { return server_.client(); }
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
  std::atomic<bool> physical_ = false;
  SocketServer server_;  // last, since its thread asks for the mode
};

}  // namespace vitrine::vmm::testing
