// For tests: what a real QEMU said and how it was mapped, from a file in testdata/.
//
// The file has sections "### NAME": the arguments, one a line; the text of monitor commands; the
// JSON of QMP commands; the process's maps.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "vitrine/base/json.h"
#include "vitrine/host/testing/fake_proc.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::vmm::testing {

class Recording {
 public:
  explicit Recording(const std::string& name) {
    const auto folder = std::filesystem::path(__FILE__).parent_path().parent_path() / "testdata";
    std::ifstream file(folder / (name + ".txt"));
    std::string section;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("### ")) {
        section = line.substr(4);
      } else {
        sections_[section] += line + "\n";
      }
    }
    proc_.process(kPid, "qemu", "", "");
    proc_.write("77/maps", sections_["maps"]);
  }

  std::string& operator[](const std::string& section) { return sections_[section]; }
  const host::ProcRoot& proc() const { return proc_.root(); }

  Machine machine() {
    std::vector<std::string> arguments;
    std::istringstream lines(sections_["arguments"]);
    for (std::string line; std::getline(lines, line);) arguments.push_back(line);
    Machine machine;
    machine.process.pid = kPid;
    machine.command_line = parse_command_line(arguments);
    machine.memory = machine.command_line.memory;
    return machine;
  }

  // What QMP returns, as JSON.
  std::string reply(const nlohmann::json& request) const {
    const bool human = request["execute"] == "human-monitor-command";
    const auto& name = human ? request["arguments"]["command-line"] : request["execute"];
    const auto found = sections_.find(name.get<std::string>());
    const std::string text = found == sections_.end() ? "unknown command\n" : found->second;
    return human ? nlohmann::json(text).dump() : text;
  }

 private:
  static constexpr pid_t kPid = 77;

  std::map<std::string, std::string> sections_;
  host::testing::FakeProc proc_;
};

}  // namespace vitrine::vmm::testing
