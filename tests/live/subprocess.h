// Starts programs that end with the test: each gets a signal when the test's thread dies, and only
// the processes started here are ever signalled.
//
// Thread contract: one thread; a program started by a thread dies with that thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace vitrine::live {

// A running program, killed and reaped at the end of its scope.
class Subprocess {
 public:
  // Output goes to the two files. Throws std::runtime_error if the program cannot be started.
  Subprocess(const std::vector<std::string>& command, const std::filesystem::path& output,
             const std::filesystem::path& errors);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  // Waits at most that long; false if it still runs.
  bool wait(std::chrono::milliseconds limit);
  void kill();
  void signal(int number);
  // The exit status as a shell would give it; -1 while it runs.
  int status() const { return status_; }

 private:
  pid_t pid_ = -1;
  int status_ = -1;
  bool ended_ = false;
};

struct Finished {
  int status = -1;
  std::string output;
  std::string errors;
  std::chrono::milliseconds duration{0};
};

// Runs a program to its end; throws std::runtime_error, having killed it, past the limit.
Finished run(const std::vector<std::string>& command, std::chrono::milliseconds limit);

// A folder of its own under TMPDIR, removed at the end of its scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::filesystem::path& path);

}  // namespace vitrine::live
