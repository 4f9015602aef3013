#include "tests/live/vitrine_command.h"

#include <cstdlib>
#include <stdexcept>

namespace vitrine::live {

std::string program() {
  for (const char* name : {"VITRINE_PROGRAM", "VITRINE_PLAIN_PROGRAM"})
    if (const char* wanted = std::getenv(name); wanted != nullptr) return wanted;
  return VITRINE_PROGRAM;
}

std::vector<std::string> vitrine_command(const std::vector<std::string>& arguments,
                                         const std::filesystem::path& cache) {
  static const TemporaryFolder own;
  std::vector<std::string> command{
      "env", "XDG_CACHE_HOME=" + (cache.empty() ? own.path() : cache).string(), program()};
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
  return run(vitrine_command(arguments, cache), limit);
}

nlohmann::json vitrine_json(std::vector<std::string> arguments, int expected_status) {
  arguments.emplace_back("--json");
  const Finished finished = vitrine(arguments);
  if (finished.status != expected_status) {
    throw std::runtime_error("vitrine " + shell_line(arguments) + " ended with status " +
                             std::to_string(finished.status) + ", expected " +
                             std::to_string(expected_status) + ": " + finished.errors +
                             finished.output);
  }
  return nlohmann::json::parse(expected_status == 0 || expected_status == 3 ? finished.output
                                                                            : finished.errors);
}

}  // namespace vitrine::live
