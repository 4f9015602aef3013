// Attaching to a VM or an image of one. To a VM: its RAM layout from the VMM or from the outside,
// the technique opened on it, and the kernel found in it. A layout is believed only after the guest
// confirms it. To an image: image_attach.h.
//
// Thread contract: independent calls may run in parallel.
// Effect on the guest: that of the technique. Cost: see kernel/locate.h; with a hint from an
// earlier attachment a few milliseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/result.h"
#include "vitrine/consistency/verdict.h"
#include "vitrine/images/image_file.h"
#include "vitrine/kernel/kernel.h"
#include "vitrine/session/hints.h"
#include "vitrine/session/source.h"
#include "vitrine/techniques/technique.h"
#include "vitrine/vmm/machine.h"
#include "vitrine/vmm/ram_layout.h"

namespace vitrine::session {

// Whether the guest is stopped while a live technique looks at it.
enum class Pausing : std::uint8_t {
  none,
  vmm,     // through the VMM's monitor, which drains the VM's disks as well
  freeze,  // by stopping the VMM's threads
};

// What is done where a guest that runs never lets a demand be met.
enum class Fallback : std::uint8_t {
  none,
  vmm,     // it is stopped through the monitor
  freeze,  // the VMM's threads are stopped
  fork,    // the VMM is copied
};

struct Options {
  std::string technique = "auto";  // an id, or auto: the best passive one that is usable
  Pausing pause = Pausing::none;
  bool allow_persistent_change = false;  // a technique may leave the VM changed
  bool use_cache = true;                 // keep and use hints on disk, see hints.h
  consistency::Demand demand = {};
  Fallback fallback = Fallback::none;
  bool record = false;  // keep every byte that is read once attached, see recorder()
};

struct Attachment {
  vmm::RamLayout layout;                                 // of a VM; an image has none
  const techniques::Description* description = nullptr;  // of how the memory is read
  std::unique_ptr<techniques::Access> access;
  kernel::Kernel kernel;
  Hints hints = {};                       // what is kept of a VM's attachment for the next one
  std::chrono::nanoseconds opening = {};  // what opening the technique took
  std::vector<std::string> warnings = {};
  std::shared_ptr<const images::ImageFile> image = {};  // null: of a VM
};

base::Result<Attachment> attach(const Source& source, const Options& options);

// The technique that the options ask for. Errors: as techniques::find and techniques::choose.
base::Result<const techniques::Technique*> choose_technique(const std::string& id,
                                                            const vmm::Machine& machine,
                                                            const vmm::RamLayout& layout);

// Error: `invalid` where the technique needs what such a pause stops.
base::Result<void> check_pause(const techniques::Description& about, Pausing pause);

// Error: `invalid` where the technique changes the VM for good, and that was not allowed.
base::Result<void> check_effect(const techniques::Description& about, const Options& options);

// The layout that attaching would try first; not confirmed by the guest.
base::Result<vmm::RamLayout> likely_layout(const vmm::Machine& machine);

// RAM that the guest uses and `memory`, a "VMM" or an "image", lacks; in words for people.
std::vector<std::string> missing_ram(const kernel::Kernel& kernel, memory::PhysicalMemory& memory,
                                     std::string_view what);

// Whether a vCPU's page tables still map the attached kernel; true where registers can't be had.
bool still_runs(const vmm::Machine& machine, const Attachment& attachment);

}  // namespace vitrine::session
