#include "tests/live/qmp_client.h"

#include <stdexcept>

namespace vitrine::live {
namespace {

constexpr std::chrono::seconds kLimit{20};

}  // namespace

QmpClient::QmpClient(const std::filesystem::path& socket) : socket_(socket, kLimit) {
  socket_.read_until("\n", kLimit);
  execute("qmp_capabilities");
}

nlohmann::json QmpClient::execute(const std::string& command, const nlohmann::json& arguments) {
  // QEMU gives whoever is connected the answers to commands of a client that was killed.
  const std::string id = "test-" + std::to_string(++commands_);
  socket_.send(nlohmann::json{{"execute", command}, {"arguments", arguments}, {"id", id}}.dump() +
               "\n");
  for (;;) {
    const auto message = nlohmann::json::parse(socket_.read_until("\n", kLimit));
    if (!message.contains("id") || message["id"] != id) continue;
    if (message.contains("return")) return message["return"];
    if (message.contains("error")) {
      throw std::runtime_error(command + ": " + message["error"].value("desc", "unknown error"));
    }
  }
}

}  // namespace vitrine::live
