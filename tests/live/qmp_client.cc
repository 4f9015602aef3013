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
  socket_.send(nlohmann::json{{"execute", command}, {"arguments", arguments}}.dump() + "\n");
  for (;;) {
    const auto message = nlohmann::json::parse(socket_.read_until("\n", kLimit));
    if (message.contains("return")) return message["return"];
    if (message.contains("error")) {
      throw std::runtime_error(command + ": " + message["error"].value("desc", "unknown error"));
    }
  }
}

}  // namespace vitrine::live
