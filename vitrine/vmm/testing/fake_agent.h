// For tests: a guest agent on a socket pair. What it sends is up to the test.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "vitrine/base/file_descriptor.h"

namespace vitrine::vmm::testing {

class FakeAgent {
 public:
  using Json = nlohmann::json;
  using Send = std::function<void(const std::string&)>;
  // Answers one request; sends nothing to let the client wait. False closes the connection.
  using Answer = std::function<bool(const Json& request, const Send&)>;

  explicit FakeAgent(Answer answer) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    client_ = base::FileDescriptor(ends[0]);
    server_ = base::FileDescriptor(ends[1]);
    thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
  }
  FakeAgent(const FakeAgent&) = delete;
  FakeAgent& operator=(const FakeAgent&) = delete;
  ~FakeAgent() {
    ::shutdown(server_.get(), SHUT_RDWR);
    thread_.join();
  }

  base::FileDescriptor client() { return std::move(client_); }

  // Answers synchronisations as an agent does and leaves the rest to `answer`.
  static Answer synchronizing(Answer answer) {
    return [answer = std::move(answer)](const Json& request, const Send& send) {
      if (request["execute"] != "guest-sync-delimited") return answer(request, send);
      send("\xff" + returned(request["arguments"]["id"]));
      return true;
    };
  }
  // An agent of which `reply` says what each command returns.
  static Answer replying(std::function<Json(const Json& request)> reply) {
    return synchronizing([reply = std::move(reply)](const Json& request, const Send& send) {
      send(returned(reply(request)));
      return true;
    });
  }

  static std::string returned(const Json& value) { return Json{{"return", value}}.dump() + "\n"; }
  static std::string refused(const std::string& words, const std::string& kind = "GenericError") {
    return Json{{"error", {{"class", kind}, {"desc", words}}}}.dump() + "\n";
  }

 private:
  void serve(const Answer& answer) {
    const Send send = [this](const std::string& text) {
      std::size_t done = 0;
      while (done < text.size()) {
        const ssize_t sent =
            ::send(server_.get(), text.data() + done, text.size() - done, MSG_NOSIGNAL);
        if (sent <= 0) return;
        done += static_cast<std::size_t>(sent);
      }
    };
    std::string line;
    char c = 0;
    while (::read(server_.get(), &c, 1) == 1) {
      if (c == '\xff') line.clear();
      if (c != '\n') {
        if (c != '\xff') line += c;
        continue;
      }
      if (!answer(Json::parse(line), send)) break;
      line.clear();
    }
    ::shutdown(server_.get(), SHUT_RDWR);
  }

  base::FileDescriptor client_;
  base::FileDescriptor server_;
  std::thread thread_;
};

}  // namespace vitrine::vmm::testing
