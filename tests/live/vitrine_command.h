// Runs the vitrine program as a user would, within a time limit and with a cache of its own.
//
// Thread contract: free functions, callable from any thread.
#pragma once

#include <string>
#include <vector>

#include "tests/live/subprocess.h"
#include "vitrine/base/json.h"

namespace vitrine::live {

// The program as built here, or the one that the environment names.
std::string program();

// The command line of `vitrine ARGUMENTS…`. What it keeps on disk goes to `cache`; if none is
// given, to one that is empty when the test program begins: a guest is learnt once and then
// recognised.
std::vector<std::string> vitrine_command(const std::vector<std::string>& arguments,
                                         const std::filesystem::path& cache = {});

// A command line as a shell wants it.
std::string shell_line(const std::vector<std::string>& command);

// Runs it.
Finished vitrine(const std::vector<std::string>& arguments,
                 std::chrono::milliseconds limit = std::chrono::seconds(60),
                 const std::filesystem::path& cache = {});

// Runs `vitrine ARGUMENTS… --json` and parses what it prints. Throws std::runtime_error with its
// messages unless the exit status is the one expected.
nlohmann::json vitrine_json(std::vector<std::string> arguments, int expected_status = 0);

}  // namespace vitrine::live
