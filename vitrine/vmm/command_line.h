// What a QEMU command line says about the VM: its name, memory, machine and monitors.
//
// Thread contract: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vitrine::vmm {

enum class BackendKind : std::uint8_t { ram, memfd, file, other };

// -object memory-backend-*
struct MemoryBackend {
  std::string id;
  BackendKind kind = BackendKind::other;
  std::uint64_t size = 0;  // bytes
  bool shared = false;
  std::string path;          // mem-path of a file; may be a directory (hugetlbfs)
  std::uint64_t offset = 0;  // into the file, bytes
};

// -device *,memdev=…
struct MemoryDevice {
  std::string driver;  // pc-dimm, nvdimm, virtio-mem-pci, ivshmem-plain, …
  std::string memdev;
  std::optional<std::uint64_t> address;  // guest-physical, where the command line fixes it
};

// A socket on which QMP is served, or behind which the guest agent is.
struct MonitorSocket {
  std::string path;       // relative to the VMM's working directory; empty where `fd` is given
  std::optional<int> fd;  // a listening socket the VMM inherited
  std::string found;      // the option that says so, for people
};

// A port of the guest's to which a guest agent listens.
struct AgentPort {
  MonitorSocket socket;
  std::string chardev;  // the id by which the monitor knows it
};

struct CommandLine {
  std::string program;
  std::string name;
  std::string uuid;
  std::string machine;               // e.g. pc-q35-7.2; empty: QEMU's default
  std::string accelerator = "tcg";   // the first one asked for
  std::uint64_t memory = 128 << 20;  // bytes, QEMU's default
  std::uint64_t memory_slots = 0;
  std::uint64_t maximum_memory = 0;  // bytes; 0 where memory cannot be plugged in
  std::uint64_t below_4g = 0;        // max-ram-below-4g in bytes; 0: the machine's own
  std::string memory_path;           // -mem-path
  std::string machine_backend;       // -machine memory-backend=
  std::vector<MemoryBackend> backends;
  std::vector<std::string> numa_backends;  // of the nodes in order
  std::vector<MemoryDevice> memory_devices;
  std::vector<MonitorSocket> monitors;
  std::string debugger;  // the device of -gdb, or what -s stands for; empty without a stub
  std::vector<AgentPort> agents;
  std::string confidential;  // the object that encrypts the guest's memory, e.g. sev-guest
  bool starts_paused = false;
};

// Parses an argv; what is unknown or malformed is left out, as hostile as it may be.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

// Whether `path` or argv[0] is that of a QEMU system emulator: qemu-system-*, qemu-kvm, kvm.
bool is_vmm_program(const std::string& path);

}  // namespace vitrine::vmm
