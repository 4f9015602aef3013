// For tests: a guest agent on a socket pair. What it sends is up to the test.
#pragma once

#include <functional>
#include <string>

#include "vitrine/base/json.h"
#include "vitrine/vmm/testing/socket_server.h"

namespace vitrine::vmm::testing {

class FakeAgent {
 public:
  using Json = nlohmann::json;
  using Send = SocketServer::Send;
  // Answers one request; sends nothing to let the client wait. False closes the connection.
  using Answer = std::function<bool(const Json& request, const Send&)>;

  explicit FakeAgent(Answer answer)
      : server_("", SocketServer::by_line(
                        [answer = std::move(answer)](const std::string& line, const Send& send) {
                          return answer(Json::parse(line), send);
                        },
                        kRestart)) {}

  base::FileDescriptor client() { return server_.client(); }

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
  // An agent drops what came before this byte.
  static constexpr char kRestart = '\xff';

  SocketServer server_;
};

}  // namespace vitrine::vmm::testing
