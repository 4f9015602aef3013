#include "tests/live/vitrine_command.h"

#include <cstdlib>
#include <stdexcept>

namespace vitrine::live {

std::string program() {
  const char* wanted = std::getenv("VITRINE_PROGRAM");
  return wanted == nullptr ? VITRINE_PROGRAM : wanted;
}

std::vector<std::string> vitrine_command(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

std::string shell_line(const std::vector<std::string>& command) {
  std::string line;
  for (const std::string& word : command) line += (line.empty() ? "'" : " '") + word + "'";
  return line;
}

Finished vitrine(const std::vector<std::string>& arguments, std::chrono::milliseconds limit,
                 const std::filesystem::path& cache) {
  const TemporaryFolder empty;
  const auto folder = cache.empty() ? empty.path() : cache;
  std::vector<std::string> command{"env", "XDG_CACHE_HOME=" + folder.string(), program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, limit);
}

nlohmann::json vitrine_json(std::vector<std::string> arguments, int expected_status) {
  arguments.emplace_back("--json");
  const Finished finished = vitrine(arguments);
  if (finished.status != expected_status) {
    throw std::runtime_error("vitrine ended with status " + std::to_string(finished.status) +
                             ", expected " + std::to_string(expected_status) + ": " +
                             finished.errors + finished.output);
  }
  return nlohmann::json::parse(expected_status == 0 || expected_status == 3 ? finished.output
                                                                            : finished.errors);
}

}  // namespace vitrine::live
