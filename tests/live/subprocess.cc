#include "tests/live/subprocess.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace vitrine::live {
namespace {

using Clock = std::chrono::steady_clock;

// Only async-signal-safe calls: this runs between fork and exec.
[[noreturn]] void become(char* const* arguments, const char* output, const char* errors,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = ::open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int err = ::open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ::dup2(input, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  ::execvp(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& command, const std::filesystem::path& output,
                       const std::filesystem::path& errors) {
  std::vector<std::string> copy = command;
  std::vector<char*> arguments;
  arguments.reserve(copy.size() + 1);
  for (std::string& argument : copy) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (pid_ == 0) become(arguments.data(), output.c_str(), errors.c_str(), parent);
}

Subprocess::~Subprocess() { kill(); }

bool Subprocess::running() {
  if (ended_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

bool Subprocess::wait(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (running()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void Subprocess::signal(int number) {
  if (running()) ::kill(pid_, number);
}

void Subprocess::kill() {
  signal(SIGKILL);
  wait(std::chrono::seconds(20));
}

Finished run(const std::vector<std::string>& command, std::chrono::milliseconds limit) {
  const TemporaryFolder folder;
  const auto output = folder.path() / "stdout";
  const auto errors = folder.path() / "stderr";
  const auto started = Clock::now();
  Subprocess process(command, output, errors);
  if (!process.wait(limit)) {
    process.kill();
    throw std::runtime_error(command.at(0) + " did not end within " +
                             std::to_string(limit.count()) + " ms; it wrote: " + read_file(output) +
                             read_file(errors));
  }
  return {process.status(), read_file(output), read_file(errors),
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started)};
}

TemporaryFolder::TemporaryFolder() {
  const char* base = std::getenv("TMPDIR");
  std::string pattern = std::string(base == nullptr ? "/tmp" : base) + "/vitrine-live.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace vitrine::live
