// What kind of VM a live test wants. Every default is what QEMU itself does by default.
//
// Thread contract: a plain value.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vitrine::live {

enum class QmpSocket {
  plain,    // -qmp unix:…
  chardev,  // -chardev socket,… -mon …,mode=control, as libvirt writes it
  absent,
};

struct GuestOptions {
  // A name of kernels.txt; without one the VM stays in its firmware.
  std::optional<std::string> kernel = "6.1";
  std::string name = {};        // -name guest=…; empty: one that no other VM has
  std::string memory = "512M";  // -m
  std::string machine = {};     // -machine, if not empty; else pc, or virt of arm64
  std::string cpu = {};         // -cpu, if not empty
  std::string append = {};      // added to the kernel's command line
  int sleepers = 40;            // processes that only sleep
  QmpSocket qmp = QmpSocket::plain;
  std::string program = {};  // the file name that the VMM's program has, if not its own
  bool reboots = false;      // a reset starts the guest anew instead of ending the VMM
  bool wait_until_ready = true;
  // The VMM has a mount namespace of its own, in which its QMP socket is on a file system of its
  // own that hides what others see there.
  bool own_mounts = false;
  // A further kernel of kernels.txt, which the guest finds as /next/vmlinuz, with an /next/initrd.
  std::optional<std::string> next_kernel = {};
  bool agent = false;  // a port for a guest agent, FOLDER/agent, and qemu-ga in the guest
  std::vector<std::string> arguments =
      {};  // further arguments; FOLDER stands for the VM's own folder
};

// What a VM is for kernels of an architecture.
struct Platform {
  const char* program;
  const char* machine;
  const char* cpu;
  const char* console;    // as the guest's kernel calls its serial port
  const char* initramfs;  // in guest_assets()
};

// kernels.txt calls those of arm64 NAME-arm64.
const Platform& platform_of(const std::optional<std::string>& kernel);

// The accelerator: "tcg", or what the environment's VITRINE_ACCEL says.
std::string accelerator();

// The whole command line; files and sockets of the VM are in `folder`, assets in `assets`.
std::vector<std::string> command_line(const GuestOptions& options,
                                      const std::filesystem::path& folder);

}  // namespace vitrine::live
