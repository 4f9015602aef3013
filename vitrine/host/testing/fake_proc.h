// For tests: a made-up procfs in a temporary folder, removed at the end.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "vitrine/host/proc_root.h"

namespace vitrine::host::testing {

class FakeProc {
 public:
  FakeProc() {
    std::string pattern = std::filesystem::temp_directory_path() / "vitrine-proc-XXXXXX";
    root_.path = ::mkdtemp(pattern.data());
  }
  FakeProc(const FakeProc&) = delete;
  FakeProc& operator=(const FakeProc&) = delete;
  ~FakeProc() {
    std::error_code ignored;
    std::filesystem::remove_all(root_.path, ignored);
  }

  const ProcRoot& root() const { return root_; }

  // `entry` is relative to the root, e.g. "12/maps"; its folders are made.
  void write(const std::string& entry, std::string_view text) {
    const std::filesystem::path path = made(entry);
    std::ofstream(path, std::ios::binary) << text;
  }
  void link(const std::string& entry, const std::string& target) {
    std::filesystem::create_symlink(target, made(entry));
  }

  // The files of an ordinary process.
  void process(pid_t pid, std::string_view comm, std::string_view arguments,
               const std::string& executable, char state = 'S', pid_t parent = 1) {
    const std::string folder = std::to_string(pid) + "/";
    write(folder + "stat", std::to_string(pid) + " (" + std::string(comm) + ") " + state +
                               " 1 2 3 0 -1 4194560 5 6 7 8 9 10 11 12 20 0 3 0 7777 123 45\n");
    write(folder + "status", "Name:\tx\nTgid:\t" + std::to_string(pid) + "\nPPid:\t" +
                                 std::to_string(parent) + "\nUid:\t1000\t1000\t1000\t1000\n");
    std::string cmdline(arguments);
    for (char& c : cmdline) c = c == '|' ? '\0' : c;
    if (!cmdline.empty()) cmdline += '\0';
    write(folder + "cmdline", cmdline);
    if (!executable.empty()) link(folder + "exe", executable);
  }

 private:
  std::filesystem::path made(const std::string& entry) const {
    std::filesystem::path path = std::filesystem::path(root_.path) / entry;
    std::filesystem::create_directories(path.parent_path());
    return path;
  }

  ProcRoot root_;
};

}  // namespace vitrine::host::testing
