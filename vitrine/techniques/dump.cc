#include "vitrine/techniques/dump.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "vitrine/host/temporary_file.h"
#include "vitrine/memory/elf_core.h"
#include "vitrine/memory/prstatus.h"
#include "vitrine/techniques/handed_descriptor.h"
#include "vitrine/techniques/monitor_copy.h"
#include "vitrine/techniques/saved_registers.h"
#include "vitrine/vmm/pause.h"
#include "vitrine/vmm/registers.h"

namespace vitrine::techniques {
namespace {

using base::Code;
using Clock = std::chrono::steady_clock;

// The RAM of the layout within the core, which holds the memory of devices and firmware, too.
base::Result<std::vector<memory::ImageExtent>> clamp(const std::vector<memory::ImageExtent>& core,
                                                     const vmm::RamLayout& layout) {
  std::vector<memory::ImageExtent> clamped;
  std::uint64_t covered = 0;
  for (const vmm::RamRegion& region : layout.regions) {
    for (const memory::ImageExtent& extent : core) {
      const auto start = std::max(region.start, extent.range.start);
      const auto end = std::min(region.end(), extent.range.end());
      if (start >= end) continue;
      clamped.push_back({{start, end - start}, extent.offset + (start - extent.range.start)});
      covered += end - start;
    }
  }
  if (covered != layout.bytes())
    return base::fail(Code::inconsistent, "QEMU's dump lacks a part of the VM's RAM",
                      "look again if memory was plugged in or out meanwhile");
  return clamped;
}

// The registers in QEMU's dump.
std::vector<memory::X86GeneralRegisters> registers_in(const memory::ElfCore& core) {
  std::vector<memory::X86GeneralRegisters> list;
  for (const memory::ElfNote& note : core.notes)
    if (note.name == "CORE" && note.type == NT_PRSTATUS)
      if (const auto registers = memory::parse_prstatus(note.content)) list.push_back(*registers);
  return list;
}

class DumpAccess final : public Access, public SavedRegisters {
 public:
  DumpAccess(vmm::RamLayout layout, std::unique_ptr<vmm::Intervention> intervention,
             base::FileDescriptor file)
      : layout_(std::move(layout)),
        intervention_(std::move(intervention)),
        file_(std::move(file)),
        writer_(file_.get()) {}

  memory::PhysicalMemory& memory() override { return *memory_; }
  vmm::Intervention* intervention() override { return intervention_.get(); }
  std::uint64_t stopped_ns() const override { return stopped_ns_; }

  base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() override {
    if (registers_.empty()) return base::fail(Code::absent, "QEMU's dump holds no registers");
    return registers_;
  }

  base::Result<void> begin() override {
    stopped_ns_ = 0;
    if (auto written = write(); !written) return written;
    return show();
  }

 private:
  base::Result<void> write();
  base::Result<void> show();

  vmm::RamLayout layout_;
  std::unique_ptr<vmm::Intervention> intervention_;
  base::FileDescriptor file_;
  SparseWriter writer_;
  std::vector<memory::ImageExtent> extents_;
  std::unique_ptr<memory::ImageMemory> memory_;
  std::vector<memory::X86GeneralRegisters> registers_;
  std::uint64_t stopped_ns_ = 0;
};

base::Result<void> DumpAccess::write() {
  if (auto begun = writer_.begin(0); !begun) return begun;
  auto drain = StreamDrain::start(write_in_sequence(writer_));
  if (!drain) return base::fail(drain.error());
  vmm::Qmp& qmp = intervention_->qmp();
  const auto state = vmm::run_state(qmp);
  if (!state) return base::fail(state.error());
  // QEMU lets the guest go on by itself; this is for a QEMU that fails to.
  vmm::Change resumed;
  if (state->running) {
    auto noted = intervention_->note(&vmm::resume);
    if (!noted) return base::fail(noted.error());
    resumed = std::move(*noted);
  }
  auto handed = hand_over_named(*intervention_, (*drain)->writer());
  if (!handed) return base::fail(handed.error());
  (*drain)->close_writer();
  const Clock::time_point stopped = Clock::now();
  auto dumped = qmp.execute("dump-guest-memory",
                            fmt::format(R"({{"paging":false,"protocol":"{}"}})", handed->uri),
                            time_to_write(layout_.bytes()));
  if (!dumped) return base::fail(explain(**drain, dumped.error()));
  if (auto done = resumed.undo(); !done) return done;
  if (state->running)
    stopped_ns_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - stopped).count());
  if (auto taken = handed->takeback.undo(); !taken) return taken;
  return (*drain)->finish(kSilence);
}

base::Result<void> DumpAccess::show() {
  const auto core = memory::read_elf_core(file_.get());
  if (!core) return base::fail(core.error());
  registers_ = registers_in(*core);
  auto extents = clamp(core->extents, layout_);
  if (!extents) return base::fail(extents.error());
  if (memory_ != nullptr) {
    if (*extents == extents_) return {};
    return base::fail(Code::inconsistent, "the VM's RAM is no longer laid out as it was",
                      "look again: memory was plugged in or out");
  }
  base::FileDescriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return base::fail_errno(errno, "fcntl", "cannot open the memory image");
  auto memory = memory::ImageMemory::create(std::move(copy), *extents);
  if (!memory) return base::fail(memory.error());
  memory_ = std::move(*memory);
  extents_ = std::move(*extents);
  return {};
}

base::Result<void> check(vmm::Qmp&) { return {}; }

}  // namespace

const Description& Dump::description() const {
  static constexpr Description kDescription{
      .id = "dump",
      .technique_class = "halting snapshot",
      .cooperation = "none",
      .snapshot = "point-in-time copy",
      .liveness = "guest is stopped while it is copied",
      .access = "manager's interface (QMP dump-guest-memory)",
      .effect = Effect::intrusive,
      .demands =
          "a QMP socket that nobody else uses; room for the RAM in TMPDIR or /var/tmp; a 64-bit "
          "guest that has booted",
      .one_instant = true,
  };
  return kDescription;
}

base::Result<void> Dump::usable(const vmm::Machine& machine, const vmm::RamLayout& layout) const {
  return usable_through_monitor(machine, layout, &check);
}

base::Result<std::unique_ptr<Access>> Dump::open(const vmm::Machine& machine,
                                                 const vmm::RamLayout& layout) const {
  auto intervention = intervene(machine, layout, &check);
  if (!intervention) return base::fail(intervention.error());
  auto file = host::temporary_file(layout.bytes());
  if (!file) return base::fail(file.error());
  auto access = std::make_unique<DumpAccess>(layout, std::move(*intervention), std::move(*file));
  if (auto begun = access->begin(); !begun) return base::fail(begun.error());
  return access;
}

}  // namespace vitrine::techniques
