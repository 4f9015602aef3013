// For tests: a server of one connection, on a socket pair, in a thread of its own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::vmm::testing {

class SocketServer {
 public:
  using Send = std::function<void(const std::string&)>;
  // Takes what arrived. False closes the connection.
  using Receive = std::function<bool(std::string_view bytes, const Send&)>;

  SocketServer(std::string greeting, Receive receive) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    client_ = base::FileDescriptor(ends[0]);
    server_ = base::FileDescriptor(ends[1]);
    thread_ = std::thread([this, greeting = std::move(greeting), receive = std::move(receive)] {
      serve(greeting, receive);
    });
    // A test may fork: what a thread that just starts holds would stay held in the child.
    reads_.wait(false);
  }
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;
  ~SocketServer() {
    ::shutdown(server_.get(), SHUT_RDWR);
    thread_.join();
  }

  base::FileDescriptor client() { return std::move(client_); }

  // Gathers lines and gives each to `answer`; what comes before `restart` in a line is dropped.
  template <class Answer>
  static Receive by_line(Answer answer, char restart = '\n') {
    return [answer = std::move(answer), restart, line = std::string()](std::string_view bytes,
                                                                       const Send& send) mutable {
      for (const char c : bytes) {
        if (c == '\n') {
          if (!answer(line, send)) return false;
          line.clear();
        } else if (c == restart) {
          line.clear();
        } else {
          line += c;
        }
      }
      return true;
    };
  }

 private:
  void send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(server_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void serve(const std::string& greeting, const Receive& receive) {
    send(greeting);
    std::array<char, 4096> bytes{};
    ssize_t got = 0;
    reads_ = true;
    reads_.notify_one();
    while ((got = ::read(server_.get(), bytes.data(), bytes.size())) > 0)
      if (!receive({bytes.data(), static_cast<std::size_t>(got)},
                   [this](const std::string& text) { send(text); }))
        break;
    ::shutdown(server_.get(), SHUT_RDWR);
  }

  base::FileDescriptor client_;
  base::FileDescriptor server_;
  std::atomic<bool> reads_ = false;
  std::thread thread_;
};

}  // namespace vitrine::vmm::testing
