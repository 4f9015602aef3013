// A QMP client for tests: changes the VM under test, or keeps its socket busy.
//
// Thread contract: one thread. A QMP socket serves one client at a time: while this lives, nobody
// else gets an answer there.
#pragma once

#include <filesystem>
#include <string>

#include "tests/live/local_socket.h"
#include "vitrine/base/json.h"

namespace vitrine::live {

class QmpClient {
 public:
  // Throws std::runtime_error if nobody answers within 20 s.
  explicit QmpClient(const std::filesystem::path& socket);

  // What the command returned; throws std::runtime_error with QEMU's message if it failed.
  nlohmann::json execute(const std::string& command,
                         const nlohmann::json& arguments = nlohmann::json::object());

 private:
  LocalSocket socket_;
  unsigned commands_ = 0;
};

}  // namespace vitrine::live
