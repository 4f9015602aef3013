#include "tests/live/guest.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "vitrine/base/base64.h"

namespace vitrine::live {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kBootLimit{120};
constexpr const char* kReady = "vitrine-guest-ready";

// The program under another name: a copy, since a link's target would show in /proc/PID/exe.
void copy_program(const std::string& name, const fs::path& folder) {
  const Finished found =
      run({"sh", "-c", "command -v qemu-system-x86_64"}, std::chrono::seconds(5));
  fs::copy_file(found.output.substr(0, found.output.find('\n')), folder / name);
}

// The kernel and the initramfs that the guest is to boot by itself, as an archive for its own.
std::string next_kernel_archive(const std::string& name) {
  const TemporaryFolder work;
  fs::create_directory(work.path() / "next");
  fs::copy_file(guest_assets() / ("vmlinuz-" + name), work.path() / "next/vmlinuz");
  fs::copy_file(guest_assets() / "initramfs.cpio.gz", work.path() / "next/initrd");
  const Finished packed = run(
      {"sh", "-c",
       "cd \"$0\" && printf '%s\\n' next next/vmlinuz next/initrd | cpio --create --format=newc",
       work.path().string()},
      std::chrono::seconds(20));
  if (packed.status != 0) throw std::runtime_error("cpio: " + packed.errors);
  return packed.output;
}

}  // namespace

fs::path guest_assets() {
  const char* folder = std::getenv("VITRINE_GUESTS");
  return folder == nullptr ? fs::path(VITRINE_GUEST_ASSETS) : fs::path(folder);
}

bool kernel_available(const std::string& name) {
  return fs::exists(guest_assets() / ("vmlinuz-" + name)) &&
         fs::exists(guest_assets() / platform_of(name).initramfs);
}

bool agent_available() { return fs::exists(guest_assets() / "agent.cpio.gz"); }

Guest::Guest(GuestOptions options) : options_(std::move(options)) {
  static int nameless = 0;
  if (options_.name.empty())
    options_.name = "live-" + std::to_string(getpid()) + "-" + std::to_string(++nameless);
  lay_out_folder();
  start();
  if (!options_.kernel || !options_.wait_until_ready) return;
  // QEMU's emulation now and then crashes a kernel that boots; that is no finding of a test.
  for (int crashes = 0; !boots(); ++crashes) {
    if (crashes == 2) throw std::runtime_error("the guest crashed three times\n" + log());
    std::cerr << "the guest's kernel crashed while it booted; trying again\n";
    console_.reset();
    vmm_->kill();
    fs::remove(folder() / "serial");
    start();
  }
}

void Guest::start() {
  vmm_ = std::make_unique<Subprocess>(command_line(options_, folder()), folder() / "vmm.out",
                                      folder() / "vmm.log");
  try {
    console_ = std::make_unique<LocalSocket>(folder() / "serial", std::chrono::seconds(20));
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + log());
  }
}

bool Guest::boots() {
  try {
    const auto deadline = std::chrono::steady_clock::now() + kBootLimit;
    while (std::chrono::steady_clock::now() < deadline) {
      const std::string line = console_->read_until("\n", kBootLimit);
      if (line.find(kReady) != std::string::npos) return true;
      if (line.find("Oops: ") != std::string::npos) return false;
      if (line.find("Kernel panic") != std::string::npos) return false;
    }
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + log());
  }
  throw std::runtime_error("the guest did not boot in time\n" + log());
}

void Guest::wait_until_ready() { wait_for(kReady); }

void Guest::lay_out_folder() {
  fs::create_directory(folder() / "monitor");
  if (!options_.program.empty()) {
    copy_program(options_.program, folder());
    // QEMU looks for its modules beside its program, unless it is told where they are.
    setenv("QEMU_MODULE_DIR", "/usr/lib/x86_64-linux-gnu/qemu", 1);
  }
  if (!options_.kernel) return;
  const fs::path assets = guest_assets();
  if (!fs::exists(assets / ("vmlinuz-" + *options_.kernel))) {
    throw std::runtime_error("no kernel " + *options_.kernel + " in " + assets.string() +
                             ": run script/guests");
  }
  fs::create_symlink(assets / ("vmlinuz-" + *options_.kernel), folder() / "vmlinuz");
  // An archive that is not compressed comes first, since it has to be aligned.
  std::ofstream(folder() / "initrd", std::ios::binary)
      << (options_.next_kernel ? next_kernel_archive(*options_.next_kernel) : "")
      << read_file(assets / platform_of(options_.kernel).initramfs)
      << read_file(assets / ("modules-" + *options_.kernel + ".cpio.gz"))
      << (options_.agent ? read_file(assets / "agent.cpio.gz") : std::string());
}

void Guest::wait_for(const std::string& text, std::chrono::milliseconds limit) {
  try {
    console_->read_until(text, limit);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + log());
  }
}

std::string Guest::run(const std::string& command, std::chrono::milliseconds limit) {
  const std::string nonce = std::to_string(pid()) + "-" + std::to_string(++commands_);
  console_->send("run " + nonce + " " + base::encode_base64(command) + "\n");
  wait_for("\nbegin " + nonce + "\n", limit);
  const std::string line = console_->read_until("\n", limit);
  auto output = base::decode_base64(std::string_view(line).substr(0, line.size() - 1));
  if (!output) throw std::runtime_error("the guest's console is not base64: " + line);
  wait_for("end " + nonce + " ", limit);
  const std::string status = console_->read_until("\n", limit);
  if (status != "0\n") {
    throw std::runtime_error("in the guest, '" + command + "' ended with status " + status +
                             *output);
  }
  return *std::move(output);
}

std::string Guest::log() const {
  std::ostringstream text;
  text << "--- console of " << name() << "\n";
  std::istringstream lines(read_file(folder() / "console.log"));
  for (std::string line; std::getline(lines, line);) {
    // What commands printed is long lines of base64 that nobody wants to see.
    text << (line.size() < 240 ? line : line.substr(0, 60) + "…") << "\n";
  }
  text << "--- VMM\n" << read_file(folder() / "vmm.log");
  return text.str();
}

}  // namespace vitrine::live
