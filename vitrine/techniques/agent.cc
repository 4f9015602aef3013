#include "vitrine/techniques/agent.h"

#include "vitrine/techniques/kcore_memory.h"

namespace vitrine::techniques {
namespace {

class AgentAccess final : public Access {
 public:
  AgentAccess(const vmm::RamLayout& layout, std::unique_ptr<KcoreFile> file)
      : memory_(layout, std::move(file)) {}

  memory::PhysicalMemory& memory() override { return memory_; }
  base::Result<void> begin() override {
    memory_.recover();
    return memory_.health();
  }
  // An agent that stopped answering is an error of its own, not many unreadable fields.
  base::Result<void> end() override { return memory_.health(); }

 private:
  KcoreMemory memory_;
};

}  // namespace

const Description& Agent::description() const {
  static constexpr Description kDescription{
      .id = "agent",
      .technique_class = "agent-assisted",
      .cooperation = "the QEMU guest agent runs in the guest",
      .snapshot = "live memory",
      .liveness = "guest keeps running and does the reading",
      .access = "through the guest itself (/proc/kcore, guest-file-read)",
      .effect = Effect::intrusive,
      .demands =
          "host: the agent's socket, held by no other client; guest: qemu-guest-agent as "
          "root with guest-file-* allowed, CONFIG_PROC_KCORE, no lockdown",
      .searches = false,
      .needs_running_guest = true,
      .started_with = "a port for the guest agent",
  };
  return kDescription;
}

base::Result<void> Agent::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  (void)layout;
  auto file = KcoreFile::open(machine);
  if (!file) return base::fail(file.error());
  return {};
}

base::Result<std::unique_ptr<Access>> Agent::open(const vmm::Machine& machine,
                                                  const vmm::RamLayout& layout) const {
  auto file = KcoreFile::open(machine);
  if (!file) return base::fail(file.error());
  return std::unique_ptr<Access>(new AgentAccess(layout, std::move(*file)));
}

}  // namespace vitrine::techniques
