// For tests: a QMP server on a socket pair. What it sends is up to the test.
#pragma once

#include <functional>
#include <string>

#include "vitrine/base/json.h"
#include "vitrine/vmm/testing/socket_server.h"

namespace vitrine::vmm::testing {

class FakeQmp {
 public:
  using Send = SocketServer::Send;
  // Answers one request; sends nothing to let the client wait. False closes the connection.
  using Answer = std::function<bool(const nlohmann::json& request, const Send&)>;

  static constexpr const char* kGreeting = "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n";

  FakeQmp(std::string greeting, Answer answer)
      : server_(std::move(greeting),
                SocketServer::by_line(
                    [answer = std::move(answer)](const std::string& line, const Send& send) {
                      return answer(nlohmann::json::parse(line), send);
                    })) {}
  // A well-behaved server: `reply` gives the JSON text of what a command returns.
  explicit FakeQmp(std::function<std::string(const nlohmann::json&)> reply)
      : FakeQmp(kGreeting,
                [reply = std::move(reply)](const nlohmann::json& request, const Send& send) {
                  const bool setup = request["execute"] == "qmp_capabilities";
                  send("{\"return\":" + (setup ? "{}" : reply(request)) +
                       ",\"id\":" + request["id"].dump() + "}\r\n");
                  return true;
                }) {}

  base::FileDescriptor client() { return server_.client(); }

 private:
  SocketServer server_;
};

}  // namespace vitrine::vmm::testing
