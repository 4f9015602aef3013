// A real Linux guest under QEMU for the live tests: boots Debian's kernel with the tests' own
// initramfs (tests/live/image) and runs commands in it over its serial console.
//
// Thread contract: one thread. The VMM dies with the thread that started it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/live/guest_options.h"
#include "tests/live/local_socket.h"
#include "tests/live/subprocess.h"

namespace vitrine::live {

// The folder that script/guests fills: build/guests, or the environment's VITRINE_GUESTS.
std::filesystem::path guest_assets();

// Whether the kernel could be had on this machine; if not, its tests are skipped by name.
bool kernel_available(const std::string& name);

// Whether the guest agent could be had; if not, its tests are skipped by name.
bool agent_available();

class Guest {
 public:
  // Boots it, at most 120 s; throws std::runtime_error with the console's log.
  explicit Guest(GuestOptions options = {});

  // The output (stdout and stderr) of a shell command in the guest; throws std::runtime_error if
  // it does not succeed in time. A command must be shorter than 4 KB.
  std::string run(const std::string& command,
                  std::chrono::milliseconds limit = std::chrono::seconds(60));
  // Waits for a text on the console, consuming what came before.
  void wait_for(const std::string& text,
                std::chrono::milliseconds limit = std::chrono::seconds(120));
  // Waits until the guest serves commands, as after a reboot.
  void wait_until_ready();
  // The same for a kernel that just starts: false if it crashed, as QEMU's emulation now and then
  // makes it, which is no finding of a test.
  bool boots();

  const GuestOptions& options() const { return options_; }
  const std::string& name() const { return options_.name; }
  pid_t pid() const { return vmm_->pid(); }
  Subprocess& vmm() { return *vmm_; }
  std::filesystem::path folder() const { return folder_.path(); }
  std::filesystem::path qmp() const { return folder_.path() / "monitor" / "qmp"; }
  // What console and VMM have said, for the message of a failed test.
  std::string log() const;

 private:
  void lay_out_folder();
  void start();

  GuestOptions options_;
  TemporaryFolder folder_;
  std::unique_ptr<Subprocess> vmm_;
  std::unique_ptr<LocalSocket> console_;
  int commands_ = 0;
};

}  // namespace vitrine::live
