// One VM attached with one technique, or an image of one: its memory readable, its kernel known.
// Joins the two halves of the library, which know nothing of each other: how bytes are obtained
// (vmm, techniques) and what they mean (kernel, views).
//
// Thread contract: one thread at a time per session.
// Effect on the guest: that of the technique, and of pausing it where that is asked for; the VMM's
// monitor is asked for the RAM layout and the registers once, and let go before anything is
// observed.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/memory/page_changes.h"
#include "vitrine/memory/recorded_memory.h"
#include "vitrine/memory/registers.h"
#include "vitrine/session/attach.h"
#include "vitrine/session/reading.h"
#include "vitrine/session/source.h"
#include "vitrine/session/stopper.h"
#include "vitrine/techniques/copy_holder.h"
#include "vitrine/techniques/technique.h"
#include "vitrine/views/view.h"
#include "vitrine/vmm/intervention.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::session {

// One collection of a view, with its provenance.
struct Observation {
  std::chrono::system_clock::time_point started;
  std::uint64_t duration_ns = 0;
  std::uint64_t stopped_ns = 0;  // how long the guest was stopped for it
  std::uint64_t drained_ns = 0;  // of that, until its disks were at rest
  memory::Cost cost;
  consistency::Verdict consistency;
  views::Outcome outcome;
};

// The vCPUs' registers as a memory image keeps them.
struct Registers {
  std::vector<memory::X86GeneralRegisters> processors;
  std::vector<memory::X86Registers> control;  // of every vCPU; empty where they can't be had
  bool same_instant = false;  // as the memory: of a copy's instant, or while the guest stood still
};

class Session {
 public:
  // Bounded: a VMM that never answers is given up after seconds.
  static base::Result<std::unique_ptr<Session>> open(Source source, const Options& options);
  // `vm` as the command line takes it, see find_source().
  static base::Result<std::unique_ptr<Session>> open(std::string_view vm, const Options& options);

  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Source& source() const { return source_; }
  // The VM; null where it is an image.
  const vmm::Machine* machine() const { return source_.machine(); }
  // The image; null where it is a VM.
  const images::ImageFile* image() const { return attachment_.image.get(); }
  const vmm::RamLayout& layout() const { return attachment_.layout; }
  const kernel::Kernel& kernel() const { return attachment_.kernel; }
  const techniques::Description& technique() const { return *attachment_.description; }
  // NOLINTNEXTLINE(readability-make-member-function-const): what it returns is not const
  memory::PhysicalMemory& memory() { return recorder_ ? *recorder_ : attachment_.access->memory(); }
  // What was read through memory() and by observations; null where that is not recorded.
  const memory::RecordingMemory* recorder() const { return recorder_.get(); }
  const consistency::Demand& demand() const { return options_.demand; }
  // What the user should know about this attachment, e.g. guest RAM that could not be located.
  const std::vector<std::string>& warnings() const { return attachment_.warnings; }

  // Collects `view`: through a new copy or with the guest stopped, where that is how the technique
  // works or what the options ask for; as often as it takes to meet the demand of the options, or
  // to give that up, which the verdict then says. Error `gone` when the VM ended or its guest
  // rebooted: see reattach().
  base::Result<Observation> observe(views::View& view);

  // Reads memory() with `look`, in the same frame as a view: of a new copy, or with the guest
  // stopped, and only if the kernel that was attached is still there.
  using Look = std::function<base::Result<void>(memory::PhysicalMemory&)>;
  base::Result<Observation> observe(const Look& look);

  // The vCPUs' registers, to be called from within a Look: the copy's own where the technique keeps
  // them, else the monitor's. Errors: as vmm::general_registers and vmm::open_qmp; `unsupported`
  // where the VMM is frozen.
  base::Result<Registers> registers();

  // What changed since the image of that SHA-256 was taken, whose copy is still held; to be called
  // from within a Look. Errors: as techniques::CopyHolder::changes_since; `unsupported` where the
  // technique holds no copies.
  base::Result<std::unique_ptr<memory::PageChanges>> changes_since(std::string_view sha256) const;

  // Whether hold_copy() could do so; errors as that.
  base::Result<void> can_hold_copy() const;

  // Holds the copy that was looked at last for that long, for the image of that SHA-256. Errors: as
  // changes_since and techniques::CopyHolder::hold.
  base::Result<void> hold_copy(std::string_view sha256, std::chrono::seconds time) const;

  // The pieces that the next observation reads in one call, where the technique copies.
  std::vector<memory::Range> gathered() const {
    return reading_ ? reading_->physical().gathered() : std::vector<memory::Range>{};
  }

  // To be called when nothing will be observed for a while: lets go of a copy that costs the guest
  // something while it lasts. Until the next observation there is nothing to be read in memory().
  base::Result<void> rest();

  // Opens the technique and finds the kernel anew after the guest rebooted; views have to be
  // attached anew, too. Until it succeeds there is no memory().
  base::Result<void> reattach();

  // Whether the guest that was attached still runs, to be asked before an observation, which then
  // uses the same copy where the technique copies: the VMM lives, its guest's memory still holds
  // the kernel, and, if its clock stood still since the last call, the registers still point to it.
  base::Result<void> check_alive();

 private:
  Session(Source source, Options options, Attachment attachment);

  void prepare();
  void keep_what_was_learned();
  base::Result<void> begin_access();
  template <class Collect>
  base::Result<Observation> within_access(Stopper& stopper, Collect&& collect);
  base::Result<Observation> observe_once(views::View& view, Stopper& stopper);
  base::Result<Observation> observe_copy(views::View& view);
  base::Result<Observation> fall_back(views::View& view);
  std::vector<memory::X86Registers> saved_control() const;
  // The connection that somebody of this session already has to the monitor, or null.
  vmm::Intervention* intervention();
  base::Error kernel_gone() const;

  Source source_;
  Options options_;
  Attachment attachment_;
  std::unique_ptr<memory::RecordingMemory> recorder_;
  std::optional<Reading> reading_;  // of memory()
  Stopper stopper_;
  std::optional<Stopper> last_resort_;  // where a demand was not met otherwise
  // The access has begun and nothing was observed in it yet: how long beginning took.
  std::optional<std::chrono::nanoseconds> begun_;
  std::optional<std::uint64_t> last_jiffies_;
};

}  // namespace vitrine::session
