#include "tests/live/guest_options.h"

#include <cstdlib>

namespace vitrine::live {
namespace {

void add(std::vector<std::string>& command, std::initializer_list<std::string> arguments) {
  command.insert(command.end(), arguments);
}

std::string with_folder(std::string argument, const std::string& folder) {
  const std::string placeholder = "FOLDER";
  for (auto at = argument.find(placeholder); at != std::string::npos;
       at = argument.find(placeholder, at + folder.size())) {
    argument.replace(at, placeholder.size(), folder);
  }
  return argument;
}

void add_qmp(std::vector<std::string>& command, QmpSocket kind, const std::string& socket) {
  switch (kind) {
    case QmpSocket::plain:
      return add(command, {"-qmp", "unix:" + socket + ",server=on,wait=off"});
    case QmpSocket::chardev:
      return add(command,
                 {"-chardev", "socket,id=charmonitor,path=" + socket + ",server=on,wait=off",
                  "-mon", "chardev=charmonitor,id=monitor,mode=control"});
    case QmpSocket::absent:
      return add(command, {"-monitor", "none"});
  }
}

}  // namespace

const Platform& platform_of(const std::optional<std::string>& kernel) {
  static constexpr Platform kPc{"qemu-system-x86_64", "pc", "", "ttyS0", "initramfs.cpio.gz"};
  static constexpr Platform kArm{"qemu-system-aarch64", "virt", "cortex-a57", "ttyAMA0",
                                 "initramfs-arm64.cpio.gz"};
  return kernel && kernel->ends_with("-arm64") ? kArm : kPc;
}

std::string accelerator() {
  const char* wanted = std::getenv("VITRINE_ACCEL");
  return wanted == nullptr ? "tcg" : wanted;
}

std::vector<std::string> command_line(const GuestOptions& options,
                                      const std::filesystem::path& folder) {
  const std::string here = folder.string();
  std::vector<std::string> command;
  if (options.own_mounts)
    command = {"unshare",        "--mount", "sh", "-c", "mount -t tmpfs own \"$0\" && exec \"$@\"",
               here + "/monitor"};
  const Platform& platform = platform_of(options.kernel);
  command.push_back(options.program.empty() ? std::string(platform.program)
                                            : (folder / options.program).string());
  const std::string machine = options.machine.empty() ? platform.machine : options.machine;
  add(command, {"-name", "guest=" + options.name, "-machine", machine, "-accel", accelerator(),
                "-m", options.memory, "-display", "none", "-nic", "none"});
  const std::string cpu = options.cpu.empty() ? platform.cpu : options.cpu;
  if (!cpu.empty()) {
    add(command, {"-cpu", cpu});
  } else if (accelerator() == "kvm") {
    add(command, {"-cpu", "host"});
  }
  // A copied program looks for its firmware beside itself.
  if (!options.program.empty()) add(command, {"-L", "/usr/share/qemu", "-L", "/usr/share/seabios"});
  if (!options.reboots) add(command, {"-no-reboot"});
  if (options.kernel) {
    add(command, {"-kernel", here + "/vmlinuz", "-initrd", here + "/initrd", "-append",
                  std::string("console=") + platform.console +
                      " quiet panic=0 cryptomgr.notests vitrine.sleepers=" +
                      std::to_string(options.sleepers) + " " + options.append});
  }
  add(command, {"-chardev",
                "socket,id=console,path=" + here + "/serial,server=on,wait=off,logfile=" + here +
                    "/console.log",
                "-serial", "chardev:console"});
  add_qmp(command, options.qmp, here + "/monitor/qmp");
  if (options.agent) {
    add(command, {"-device", "virtio-serial", "-chardev",
                  "socket,id=agent,path=" + here + "/agent,server=on,wait=off", "-device",
                  "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"});
  }
  for (const std::string& argument : options.arguments) add(command, {with_folder(argument, here)});
  return command;
}

}  // namespace vitrine::live
