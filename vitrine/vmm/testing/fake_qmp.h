// For tests: a QMP server on a socket pair. What it sends is up to the test.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::vmm::testing {

class FakeQmp {
 public:
  using Send = std::function<void(const std::string&)>;
  // Answers one request; sends nothing to let the client wait. False closes the connection.
  using Answer = std::function<bool(const nlohmann::json& request, const Send&)>;

  static constexpr const char* kGreeting = "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n";

  FakeQmp(std::string greeting, Answer answer) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    client_ = base::FileDescriptor(ends[0]);
    server_ = base::FileDescriptor(ends[1]);
    thread_ = std::thread([this, greeting = std::move(greeting), answer = std::move(answer)] {
      serve(greeting, answer);
    });
  }
  // A well-behaved server: `reply` gives the JSON text of what a command returns.
  explicit FakeQmp(std::function<std::string(const nlohmann::json&)> reply)
      : FakeQmp(kGreeting,
                [reply = std::move(reply)](const nlohmann::json& request, const Send& send) {
                  const bool setup = request["execute"] == "qmp_capabilities";
                  send("{\"return\":" + (setup ? "{}" : reply(request)) +
                       ",\"id\":" + request["id"].dump() + "}\r\n");
                  return true;
                }) {}
  FakeQmp(const FakeQmp&) = delete;
  FakeQmp& operator=(const FakeQmp&) = delete;
  ~FakeQmp() {
    ::shutdown(server_.get(), SHUT_RDWR);
    thread_.join();
  }

  base::FileDescriptor client() { return std::move(client_); }

 private:
  void serve(const std::string& greeting, const Answer& answer) {
    const Send send = [this](const std::string& text) {
      std::size_t done = 0;
      while (done < text.size()) {
        const ssize_t sent =
            ::send(server_.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) return;
        done += static_cast<std::size_t>(sent);
      }
    };
    send(greeting);
    std::string line;
    char c = 0;
    while (::read(server_.get(), &c, 1) == 1) {
      if (c != '\n') {
        line += c;
        continue;
      }
      if (!answer(nlohmann::json::parse(line), send)) break;
      line.clear();
    }
    ::shutdown(server_.get(), SHUT_RDWR);
  }

  base::FileDescriptor client_;
  base::FileDescriptor server_;
  std::thread thread_;
};

}  // namespace vitrine::vmm::testing
