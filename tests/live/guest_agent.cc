#include "tests/live/guest_agent.h"

#include <stdexcept>
#include <thread>

namespace vitrine::live {

void start_agent(Guest& guest, const std::string& options) {
  stop_agent(guest);
  const std::string pid_file = kAgentPid;
  guest.run(
      "[ -e /sys/class/virtio-ports ] || for module in /modules/*virtio*.ko; do "
      "insmod $module; done; mkdir -p /var/run; "
      "for port in /sys/class/virtio-ports/*; do "
      "[ $(cat $port/name) = org.qemu.guest_agent.0 ] && break; done; "
      "qemu-ga -m virtio-serial -p /dev/${port##*/} -d -f " +
      pid_file + " " + options);
  for (int i = 0; i < 100; ++i) {
    if (guest.run("ls -l $(ls -d /proc/$(cat " + pid_file + ")/fd)").find("/dev/vport") !=
        std::string::npos)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw std::runtime_error("the agent did not open its port");
}

void stop_agent(Guest& guest) {
  const std::string pid_file = kAgentPid;
  guest.run("[ ! -e " + pid_file + " ] || { p=$(cat " + pid_file +
            "); kill -9 $p; while [ -e /proc/$p/fd/0 ]; do sleep 0.1; done; rm " + pid_file +
            "; }");
}

}  // namespace vitrine::live
