#include "vitrine/vmm/command_line.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "vitrine/vmm/option_list.h"

namespace vitrine::vmm {
namespace {

// Options that take no argument (qemu-options.hx); any other is followed by one.
constexpr std::string_view kFlags[] = {"h",
                                       "help",
                                       "version",
                                       "enable-kvm",
                                       "no-reboot",
                                       "no-shutdown",
                                       "daemonize",
                                       "nographic",
                                       "snapshot",
                                       "nodefaults",
                                       "S",
                                       "no-user-config",
                                       "s",
                                       "no-acpi",
                                       "no-hpet",
                                       "usb",
                                       "full-screen",
                                       "no-fd-bootchk",
                                       "curses",
                                       "only-migratable",
                                       "xen-attach",
                                       "win2k-hack",
                                       "preconfig",
                                       "mem-prealloc",
                                       "singlestep",
                                       "portrait",
                                       "sdl",
                                       "no-quit",
                                       "no-frame",
                                       "semihosting",
                                       "nouserconfig",
                                       "enable-fips",
                                       "alt-grab",
                                       "ctrl-grab",
                                       "enable-sync-profile",
                                       "xen-domid-restrict",
                                       "old-param",
                                       "no-kvm",
                                       "no-kvm-irqchip"};

struct Chardev {
  std::string path;
  std::optional<int> fd;
};

std::optional<int> descriptor_number(const std::string& text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || value < 0) return {};
  return value;
}

class Parser {
 public:
  CommandLine parse(const std::vector<std::string>& arguments);

 private:
  void option(std::string_view option, const std::string& argument);
  void machine(const OptionList& list);
  void memory(const OptionList& list);
  void object(const OptionList& list);
  void chardev(const OptionList& list);
  void qmp(const std::string& argument);
  void device(const OptionList& list, const std::string& argument);
  void resolve_sockets();

  struct Control {
    std::string chardev;
    std::string found;
  };

  CommandLine result_;
  std::map<std::string, Chardev> chardevs_;
  std::vector<Control> controls_;
  std::vector<Control> agents_;
  bool accelerator_given_ = false;
};

void Parser::machine(const OptionList& list) {
  result_.machine = list.get_or("type", result_.machine);
  if (const auto accelerators = list.get("accel")) {
    result_.accelerator = accelerators->substr(0, accelerators->find(':'));
  }
  result_.machine_backend = list.get_or("memory-backend", result_.machine_backend);
  if (const auto below = list.size("max-ram-below-4g")) result_.below_4g = *below;
  for (const char* key : {"confidential-guest-support", "memory-encryption"}) {
    const auto id = list.get(key);
    if (id && result_.confidential.empty()) result_.confidential = *id;
  }
}

void Parser::memory(const OptionList& list) {
  constexpr std::uint64_t kMebibyte = 1 << 20;
  if (const auto size = list.size("size", kMebibyte)) {
    // QEMU rounds up to 8 KiB (softmmu/vl.c, set_memory_options).
    if (*size != 0 && *size <= UINT64_MAX - 8191) result_.memory = (*size + 8191) & ~8191ULL;
  }
  if (const auto slots = list.size("slots")) result_.memory_slots = *slots;
  if (const auto maximum = list.size("maxmem", kMebibyte)) result_.maximum_memory = *maximum;
}

void Parser::object(const OptionList& list) {
  const std::string type = list.get_or("qom-type", "");
  if (type == "sev-guest" || type == "sev-snp-guest" || type == "tdx-guest") {
    result_.confidential = type;
  }
  constexpr std::string_view kPrefix = "memory-backend-";
  if (!type.starts_with(kPrefix)) return;
  const std::string kind = type.substr(kPrefix.size());
  MemoryBackend backend;
  backend.id = list.get_or("id", "");
  backend.kind = kind == "ram"     ? BackendKind::ram
                 : kind == "memfd" ? BackendKind::memfd
                 : kind == "file"  ? BackendKind::file
                                   : BackendKind::other;
  backend.size = list.size("size").value_or(0);
  // A memfd is shared unless it is said otherwise (backends/hostmem-memfd.c).
  backend.shared =
      backend.kind == BackendKind::memfd && !list.get("share") ? true : list.on("share");
  backend.path = list.get_or("mem-path", "");
  backend.offset = list.size("offset").value_or(0);
  result_.backends.push_back(std::move(backend));
}

void Parser::chardev(const OptionList& list) {
  if (list.get_or("backend", "") != "socket") return;
  Chardev device{list.get_or("path", ""), {}};
  if (const auto number = list.get("fd")) device.fd = descriptor_number(*number);
  if (!device.path.empty() || device.fd) chardevs_[list.get_or("id", "")] = device;
}

void Parser::qmp(const std::string& argument) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::string_view kChardev = "chardev:";
  if (argument.starts_with(kChardev)) {
    controls_.push_back({argument.substr(kChardev.size()), "-qmp " + argument});
  } else if (argument.starts_with(kUnix)) {
    const auto list = OptionList::parse(std::string_view(argument).substr(kUnix.size()), "path");
    MonitorSocket socket{list.get_or("path", ""), {}, "-qmp " + argument};
    if (const auto number = list.get("fd")) socket.fd = descriptor_number(*number);
    // Where the VMM is the client, there is nothing to connect to.
    const std::string server = list.get_or("server", "off");
    const bool serves = server == "on" || server == "yes" || server == "true" || server == "y";
    if (serves && (!socket.path.empty() || socket.fd)) result_.monitors.push_back(socket);
  }
}

void Parser::device(const OptionList& list, const std::string& argument) {
  const std::string driver = list.get_or("driver", "");
  if (const auto memdev = list.get("memdev")) {
    result_.memory_devices.push_back({driver, *memdev, list.size("addr")});
  }
  // The name that qemu-ga looks for by default (qga/main.c).
  if (driver == "virtserialport" && list.get_or("name", "") == "org.qemu.guest_agent.0") {
    agents_.push_back({list.get_or("chardev", ""), "-device " + argument});
  }
}

void Parser::option(std::string_view option, const std::string& argument) {
  const auto list = [&](std::string_view implied) { return OptionList::parse(argument, implied); };
  if (option == "name") {
    result_.name = list("guest").get_or("guest", result_.name);
  } else if (option == "uuid") {
    result_.uuid = argument;
  } else if (option == "m") {
    memory(list("size"));
  } else if (option == "machine" || option == "M") {
    const auto parsed = list("type");
    accelerator_given_ = accelerator_given_ || parsed.get("accel").has_value();
    machine(parsed);
  } else if (option == "accel") {
    // The first one that works is taken; a second option is the fallback of the first.
    if (!accelerator_given_) result_.accelerator = list("accel").get_or("accel", "tcg");
    accelerator_given_ = true;
  } else if (option == "object") {
    object(list("qom-type"));
  } else if (option == "numa") {
    const auto node = list("type");
    if (node.get_or("type", "") == "node" && node.get("memdev")) {
      result_.numa_backends.push_back(*node.get("memdev"));
    }
  } else if (option == "device") {
    device(list("driver"), argument);
  } else if (option == "mem-path") {
    result_.memory_path = argument;
  } else if (option == "gdb") {
    result_.debugger = argument;
  } else if (option == "chardev") {
    chardev(list("backend"));
  } else if (option == "qmp" || option == "qmp-pretty") {
    qmp(argument);
  } else if (option == "mon") {
    const auto monitor = list("chardev");
    if (monitor.get_or("mode", "") == "control") {
      controls_.push_back({monitor.get_or("chardev", ""), "-mon " + argument});
    }
  }
}

void Parser::resolve_sockets() {
  for (const Control& control : controls_) {
    const auto device = chardevs_.find(control.chardev);
    if (device == chardevs_.end()) continue;
    result_.monitors.push_back({device->second.path, device->second.fd, control.found});
  }
  for (const Control& agent : agents_) {
    const auto device = chardevs_.find(agent.chardev);
    if (device == chardevs_.end()) continue;
    result_.agents.push_back(
        {{device->second.path, device->second.fd, agent.found}, agent.chardev});
  }
}

CommandLine Parser::parse(const std::vector<std::string>& arguments) {
  if (!arguments.empty()) result_.program = arguments.front();
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (!name.starts_with('-')) continue;  // a disk image
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
    if (std::find(std::begin(kFlags), std::end(kFlags), name) != std::end(kFlags)) {
      if (name == "S") result_.starts_paused = true;
      if (name == "enable-kvm") result_.accelerator = "kvm";
      if (name == "s") result_.debugger = "tcp::1234";
      continue;
    }
    if (i + 1 < arguments.size()) option(name, arguments[++i]);
  }
  resolve_sockets();
  return std::move(result_);
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  return Parser().parse(arguments);
}

bool is_vmm_program(const std::string& path) {
  const std::string name = path.substr(path.find_last_of('/') + 1);
  return name.starts_with("qemu-system-") || name == "qemu-kvm" || name == "kvm";
}

}  // namespace vitrine::vmm
